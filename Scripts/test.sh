#!/usr/bin/env bash
# All checks: installs what is missing, builds in release mode, checks the format, runs the smoke training, the examples of
# README, help and documentation, and the tests.
# The test runner's own lines come last.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=Scripts/setup.sh
source Scripts/setup.sh

echo "== build"
# The product rather than --build-tests: that would also build protoc and the other tools of the packages' plugins.
swift build -c release -j 2 --product vidclassPackageTests
echo "== format"
./Scripts/format.sh --check
echo "== smoke training"
./Scripts/smoke.sh
echo "== examples"
if command -v python3 >/dev/null 2>&1; then
    ./Scripts/check_examples.py --vidclass "$(swift build -c release --show-bin-path)/vidclass"
else
    echo "python3 was not found: the examples of README, help and documentation are not run"
fi
echo "== tests"
swift test -c release --skip-build
