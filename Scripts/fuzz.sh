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

# What breaks the library, given to the command.
import_findings() {
    local vidclass found refused=0 code
    swift build -c release -j 2 --product vidclass >/dev/null
    vidclass=$(swift build -c release --show-bin-path)/vidclass
    for found in .build-fuzz/findings/hdf5-*; do
        [ -f "$found" ] || continue
        code=0
        XDG_CACHE_HOME=$PWD/.build-fuzz/cache "$vidclass" weights import --name fuzzed "$found" >/dev/null 2>.build-fuzz/import.err || code=$?
        if [ $code -eq 65 ] && [ "$(grep -c '^vidclass: error: ' .build-fuzz/import.err)" -eq 1 ]; then
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
    # On, whatever the library does.
    hdf5) options+=(-max_len=65536 -fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1 -timeout=5) ;;
    config) options+=(-max_len=8192 -dict=Fuzz/json.dict) ;;
    safetensors | checkpoint | weights) options+=(-max_len=8192 -dict=Fuzz/json.dict) ;;
    *) options+=(-max_len=4096) ;;
    esac
    if [ -d "Fuzz/regressions/$parser" ] && [ "$parser" != hdf5 ]; then
        VIDCLASS_FUZZ=$parser "$fuzzer" "${options[@]}" "Fuzz/regressions/$parser"/* >/dev/null 2>&1 || { echo "$parser: a kept case fails again"; status=1; }
    fi
    log=.build-fuzz/findings/$parser.log
    if VIDCLASS_FUZZ=$parser "$fuzzer" "${options[@]}" -max_total_time=$((minutes * 60)) "$corpus" "$(seeds "$parser")" >"$log" 2>&1; then
        echo "$parser: $(tail -n 1 "$log"), no finding"
    elif [ "$parser" = hdf5 ]; then
        echo "hdf5: $(tail -n 1 "$log")"
    else
        echo "$parser: a finding, see $log and .build-fuzz/findings/$parser-*"
        status=1
    fi
    [ "$parser" != hdf5 ] || import_findings
done
exit $status
