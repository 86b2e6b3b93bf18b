#!/usr/bin/env bash
# Coverage-guided fuzzing of every parser of files from strangers, by libFuzzer.
#
#   Scripts/fuzz.sh MINUTES [PARSER ...]     MINUTES for each; parsers: clip npy safetensors checkpoint weights config csv hdf5
#
# First the kept regressions (Fuzz/regressions) are run, then each parser from the seeds (Fuzz/seeds) and what earlier runs
# found worth keeping (.build-fuzz/corpus). A finding is left in .build-fuzz/findings, and the exit code is 1. The HDF5 library,
# which is not ours, may crash on a hostile file: vidclass runs it in a child. So what breaks it here is given to the command
# `weights import`, which must refuse it in one line with exit code 65; a finding is what it does otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:?usage: Scripts/fuzz.sh MINUTES [PARSER ...]}
shift
parsers=("$@")
[ ${#parsers[@]} -gt 0 ] || parsers=(clip npy safetensors checkpoint weights config csv hdf5)
# shellcheck source=Scripts/setup.sh
source Scripts/setup.sh

VIDCLASS_FUZZ_BUILD=1 swift build -c release -j 2 --sanitize fuzzer --product VidFuzz --scratch-path .build-fuzz
fuzzer=.build-fuzz/release/VidFuzz
# Swift's own crash reporter would take the trap before libFuzzer sees it.
export SWIFT_BACKTRACE=enable=no
mkdir -p .build-fuzz/findings

seeds() {
    case $1 in
    hdf5) echo Tests/VidCheckpointTests/Fixtures ;;
    *) echo "Fuzz/seeds/$1" ;;
    esac
}

# The HDF5 library breaks, hangs and takes libFuzzer's own handlers with it: runs of a minute, on and on.
fuzz_library() {
    local end=$((SECONDS + minutes * 60)) left
    : >"$log"
    while left=$((end - SECONDS)) && [ $left -gt 0 ]; do
        timeout -s KILL $((left < 60 ? left + 30 : 90)) \
            "$fuzzer" "${options[@]}" -print_final_stats=1 -max_total_time=$((left < 60 ? left : 60)) "$corpus" "$(seeds hdf5)" >>"$log" 2>&1 || true
    done
    echo "hdf5: at least $(awk '/number_of_executed_units/ { sum += $2 } END { print sum + 0 }' "$log") inputs"
    import_findings
}

# What breaks the library, given to the command.
import_findings() {
    local vidclass found refused=0 code
    swift build -c release -j 2 --product vidclass >/dev/null
    vidclass=$(swift build -c release --show-bin-path)/vidclass
    for found in .build-fuzz/findings/hdf5-*; do
        [ -f "$found" ] || continue
        code=0
        XDG_CACHE_HOME=$PWD/.build-fuzz/cache "$vidclass" weights import --name fuzzed "$found" >/dev/null 2>.build-fuzz/import.err || code=$?
        # Signals 4 and 5 are traps of our own, not the library's.
        if [ $code -eq 65 ] && ! grep -qE 'signal [45]\)' .build-fuzz/import.err && [ "$(grep -c '^vidclass: error: ' .build-fuzz/import.err)" -eq 1 ]; then
            refused=$((refused + 1))
        else
            echo "hdf5: weights import ended with $code on $found"
            status=1
        fi
    done
    echo "hdf5: $refused files that break the library, refused by vidclass in one line"
}

status=0
for parser in "${parsers[@]}"; do
    corpus=.build-fuzz/corpus/$parser
    mkdir -p "$corpus"
    options=(-timeout=20 -rss_limit_mb=2048 "-artifact_prefix=.build-fuzz/findings/$parser-")
    case $parser in
    hdf5) options+=(-max_len=65536 -timeout=5) ;;
    config) options+=(-max_len=8192 -dict=Fuzz/json.dict) ;;
    safetensors | checkpoint | weights) options+=(-max_len=8192 -dict=Fuzz/json.dict) ;;
    *) options+=(-max_len=4096) ;;
    esac
    if [ -d "Fuzz/regressions/$parser" ] && [ "$parser" != hdf5 ]; then
        VIDCLASS_FUZZ=$parser "$fuzzer" "${options[@]}" "Fuzz/regressions/$parser"/* >/dev/null 2>&1 || { echo "$parser: a kept case fails again"; status=1; }
    fi
    log=.build-fuzz/findings/$parser.log
    export VIDCLASS_FUZZ=$parser
    if [ "$parser" = hdf5 ]; then
        fuzz_library
    elif "$fuzzer" "${options[@]}" -max_total_time=$((minutes * 60)) "$corpus" "$(seeds "$parser")" >"$log" 2>&1; then
        echo "$parser: $(tail -n 1 "$log"), no finding"
    else
        echo "$parser: a finding, see $log and .build-fuzz/findings/$parser-*"
        status=1
    fi
done
exit $status
