#!/usr/bin/env bash
# Prints the commit of these sources for `vidclass --version`, such as 1e9bed1c2d3e, with -dirty where tracked files were changed; nothing
# outside of a Git repository. Scripts that install or package a build put it into VIDCLASS_COMMIT, which Package.swift reads.
set -euo pipefail
cd "$(dirname "$0")/.."
# The project's own repository only, not one that this folder happens to be in.
[ -e .git ] && command -v git >/dev/null 2>&1 || exit 0
git -c safe.directory="$PWD" describe --always --exclude '*' --abbrev=12 --dirty 2>/dev/null || true
