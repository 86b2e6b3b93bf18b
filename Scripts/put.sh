#!/usr/bin/env bash
# put MODE FILE TARGET: installs a file at once. A program that runs keeps its old file, and two installations at a time do not meet. Sourced.

put() {
    if ! install -m "$1" "$2" "$3.new.$$" || ! mv -f "$3.new.$$" "$3"; then
        rm -f "$3.new.$$"
        exit 74
    fi
}
