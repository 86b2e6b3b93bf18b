#!/usr/bin/env bash
# The tests and a training under the sanitizers of the compiler: AddressSanitizer (every access of memory), LeakSanitizer (a training at
# whose end no memory is lost), ThreadSanitizer (races), and with it UndefinedBehaviorSanitizer, in C alone, as Swift has none: an
# undefined operation of a kernel ends its process.
#
#   Scripts/sanitize.sh [KIND ...]     kinds: address leak thread; all unless named
#   FILTER=NAME Scripts/sanitize.sh    only the tests of that name
#
# ThreadSanitizer does not see into the library that Swift's Mutex waits in, so that whatever such a lock guards looks like a race to
# it, in our code and in the packages. It is let loose on what takes no such lock: workers, small kernels, layers, training, the
# reading of HDF5. (The naive twins of VGG16's convolutions would take it hours.)
#
# Two builds of their own, .build-address and .build-thread (ten minutes and 3 GB each); the tests take several times as long as
# otherwise. OpenBLAS, HDF5, cairo and ffmpeg are the system's, and not looked into. Exits with 1 where a sanitizer or a test
# complains.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=Scripts/setup.sh
source Scripts/setup.sh
kinds=("$@")
[ ${#kinds[@]} -gt 0 ] || kinds=(address leak thread)
# Swift's own crash reporter would take a crash before the sanitizer sees it.
export SWIFT_BACKTRACE=enable=no
status=0
threads='VidTrainTests|WorkersTests|RecurrentCellTests|ReductionTests|KerasWeightsTests|SoftmaxCrossEntropyTests|LayerGradientTests'
threads+='|BatchNormTests|ActivationTests'

# The flags of a build, which its tests must be started with, too.
flags() {
    echo "-c release --sanitize $1 --scratch-path .build-$1"
    [ "$1" != thread ] || echo "-Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined"
}

build() {
    # shellcheck disable=SC2046
    swift build $(flags "$1") -j 2 --product vidclassPackageTests
}

# The tests of a build, and of the programs that they start. What a sanitizer finds is in .build-KIND/reports, a file a process.
run_tests() {
    local kind=$1 options=$2 reports=$PWD/.build-$1/reports
    build "$kind"
    rm -rf "$reports" && mkdir "$reports"
    local where=log_path=$reports/report
    local filter=${FILTER:-}
    [ -n "$filter" ] || [ "$kind" != thread ] || filter=$threads
    local passed=yes
    # shellcheck disable=SC2046
    VIDCLASS_SANITIZED=$kind ASAN_OPTIONS=$where:$options TSAN_OPTIONS=$where:$options \
        swift test $(flags "$kind") --skip-build ${filter:+--filter "$filter"} || passed=no
    judge "$kind" "$reports"
    if [ $passed = no ]; then
        echo "$kind: tests failed or ended early"
        status=1
    fi
}

judge() {
    if [ -n "$(ls "$2")" ]; then
        echo "$1: $(find "$2" -type f | wc -l) processes with complaints, see $2:"
        grep -h -E 'ERROR: |WARNING: |SUMMARY: |__clang_trap_msg' "$2"/* | sed 's/==[0-9]*==//' | sort | uniq -c | sort -rn | head -n 20
        status=1
    else
        echo "$1: no complaint"
    fi
}

run_leak() {
    local reports=$PWD/.build-address/leaks work
    build address
    work=$(mktemp -d)
    rm -rf "$reports" && mkdir "$reports"
    local vidclass=$PWD/.build-address/release/vidclass
    "$vidclass" synth "$work/data" --clips-per-class 8 --frames 4 --rows 32 --columns 32 >/dev/null
    (
        cd "$work"
        export ASAN_OPTIONS=log_path=$reports/report:detect_leaks=1
        export LSAN_OPTIONS=suppressions=$OLDPWD/Scripts/leaks.txt:print_suppressions=0
        "$vidclass" train --config "$OLDPWD/Configs/smoke.json" --quiet --no-cache --set "data.path=$work/data" --set training.epochs=3
        "$vidclass" predict "$work"/data/*/000.bin --checkpoint runs/*/weights/best.safetensors >/dev/null
    ) || status=1
    rm -rf "$work"
    judge leak "$reports"
}

for kind in "${kinds[@]}"; do
    case $kind in
    # What Swift's runtime keeps for good is no leak of the tests; `leak` looks into a training.
    address) run_tests address detect_leaks=0 ;;
    thread) run_tests thread handle_sigill=1 ;;
    leak) run_leak ;;
    *)
        echo "Scripts/sanitize.sh knows no $kind; kinds: address leak thread" >&2
        exit 64
        ;;
    esac
done
exit $status
