#!/usr/bin/env bash
# All checks: installs what is missing, and builds in release mode, with libvidclass.so and the plug-in for MPI. Beside the build it checks
# the format, the house's rules and the tags of its guards; beside the tests it runs the smoke training, the examples of README, help and
# documentation, and random configurations if there is PyTorch. What runs beside is shown when it has ended. The test runners' own lines come last.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=Scripts/setup.sh
source Scripts/setup.sh

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT

check_sources() {
    echo "== format"
    ./Scripts/format.sh --check
    if command -v python3 >/dev/null 2>&1; then
        echo "== house"
        python3 Scripts/check_house.py
        PYTHONPATH=Scripts python3 -m maintain.guards --list >/dev/null
    else
        echo "python3 was not found: the house is not checked"
    fi
}

check_program() {
    local python="${VIDCLASS_PYTHON_ENV:-.build/python}/bin/python"
    echo "== smoke training"
    ./Scripts/smoke.sh "$1"
    echo "== examples"
    if command -v python3 >/dev/null 2>&1; then
        PYTHONPATH=Scripts python3 -m maintain.examples --vidclass "$1"
    else
        echo "python3 was not found: the examples of README, help and documentation are not run"
    fi
    echo "== random configurations"
    if "$python" -c "import torch, safetensors" >/dev/null 2>&1; then
        PYTHONPATH=Scripts "$python" -m maintain.check_random --count 10 --vidclass "$1"
    else
        echo "$python has no PyTorch: not compared; python3 -m maintain.check_random installs it"
    fi
    echo "== exported models"
    if "$python" -c "import onnxruntime, openvino" >/dev/null 2>&1; then
        PYTHONPATH=Scripts "$python" -m maintain.export_check --count 5 --vidclass "$1"
    else
        echo "$python has no ONNX Runtime: not compared; python3 -m maintain.export_check installs it"
    fi
}

# finish PROCESS OUTPUT: waits for what runs beside, shows what it wrote and returns its status.
finish() {
    local status=0
    wait "$1" || status=$?
    cat "$2"
    return "$status"
}

echo "== build"
check_sources >"$work/sources" 2>&1 &
sources=$!
# The product rather than --build-tests: that would also build protoc and the other tools of the packages' plugins.
swift build -c release -j 2 --product vidclassPackageTests
finish "$sources" "$work/sources"
./Scripts/library.sh
if command -v "${MPICC:-mpicc}" >/dev/null 2>&1; then
    ./Scripts/mpi_plugin.sh
else
    echo "mpicc was not found: nothing is run on several ranks"
fi

products=$(swift build -c release --show-bin-path)
check_program "$products/vidclass" >"$work/program" 2>&1 &
program=$!

echo "== tests"
# Not all tests at a time: one that waits for its turn among a thousand is slow, and all of them take memory.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH="${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-$((2 * $(nproc)))}"
# Without SwiftPM, which runs one process at a time.
run_tests() { "$products/vidclassPackageTests.xctest" --testing-library swift-testing "$@" 2>&1; }
# Three processes share the cores: tests that compute; tests of commands, which block their threads while the commands run; and the suites
# whose tests take turns, which would otherwise wait for all others before each turn.
turns='^CommandTests\.(ClusterCommandTests|StoppedTrainingTests)/'
run_tests --filter "$turns" >"$work/tests-turns" &
turns_process=$!
run_tests --filter '^CommandTests\.' --skip "$turns" >"$work/tests-commands" &
commands=$!
tests=0
run_tests --skip '^CommandTests\.' | tee "$work/tests-computing" || tests=$?
finish "$commands" "$work/tests-commands" || tests=$?
finish "$turns_process" "$work/tests-turns" || tests=$?
finish "$program" "$work/program" || tests=$?
echo "== tests, at the end"
tail -q -n 1 "$work"/tests-*
exit "$tests"
