#!/usr/bin/env bash
# Coverage-guided fuzzing of every parser of files from strangers, by libFuzzer.
#
#   Scripts/fuzz.sh MINUTES [PARSER ...]     MINUTES for each; parsers: clip npy safetensors checkpoint weights config csv hdf5
#
# First the kept regressions (Fuzz/regressions) are run, then each parser from the seeds (Fuzz/seeds) and what earlier runs
# found worth keeping (.build-fuzz/corpus). A finding is left in .build-fuzz/findings, and the exit code is 1. The HDF5 library,
# which is not ours, is run in a child by vidclass; here it is let loose in the fuzzer, so findings inside it are expected.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:?usage: Scripts/fuzz.sh MINUTES [PARSER ...]}
shift
parsers=("$@")
[ ${#parsers[@]} -gt 0 ] || parsers=(clip npy safetensors checkpoint weights config csv)
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

status=0
for parser in "${parsers[@]}"; do
    corpus=.build-fuzz/corpus/$parser
    mkdir -p "$corpus"
    options=(-timeout=20 -rss_limit_mb=2048 "-artifact_prefix=.build-fuzz/findings/$parser-")
    case $parser in
    hdf5) options+=(-max_len=65536) ;;
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
    else
        echo "$parser: a finding, see $log and .build-fuzz/findings/$parser-*"
        status=1
    fi
done
exit $status
