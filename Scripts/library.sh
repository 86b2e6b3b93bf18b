#!/usr/bin/env bash
# Builds libvidclass.so, the library for C, Python and other languages. See --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
Build libvidclass.so, the library for C, Python and other languages, and put it with its header into a folder.

usage: Scripts/library.sh [--output FOLDER] [-- OPTION ...]

  --output FOLDER  where to put libvidclass.so.1, the link libvidclass.so, and vidclass.h; .build/library by default
  OPTION           for swift build

The library contains Swift's runtime; what else it needs is what the program needs, without the toolchain. Videos
are read by the program vidclass of the same version, which the library finds beside itself, in ../bin and on PATH.
TEXT
}

output=
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            usage
            exit 0
            ;;
        --output)
            [ $# -gt 1 ] || { echo "library.sh: --output takes a folder" >&2; exit 64; }
            output=$2
            shift
            ;;
        --)
            shift
            break
            ;;
        *)
            echo "library.sh: unknown argument $1; see --help" >&2
            exit 64
            ;;
    esac
    shift
done
case "$output" in '' | /*) ;; *) output=$PWD/$output ;; esac
cd "$(dirname "$0")/.."
output=${output:-$PWD/.build/library}
swift build -c release -j 2 --product VidClassC "$@"
built=$(swift build -c release "$@" --show-bin-path)/libVidClassC.so
# shellcheck source=Scripts/put.sh
source Scripts/put.sh
mkdir -p "$output"
put 755 "$built" "$output/libvidclass.so.1"
ln -sfn libvidclass.so.1 "$output/libvidclass.so"
put 644 Sources/CVidClass/include/vidclass.h "$output/vidclass.h"
echo "wrote $output/libvidclass.so.1 and vidclass.h"
