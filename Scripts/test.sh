#!/usr/bin/env bash
# All checks: installs what is missing, builds in release mode, checks the format, runs the smoke training and the tests.
# The test runner's own lines come last.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=Scripts/setup.sh
source Scripts/setup.sh

echo "== build"
swift build -c release -j 2 --build-tests
echo "== format"
./Scripts/format.sh --check
echo "== smoke training"
./Scripts/smoke.sh
echo "== tests"
swift test -c release --skip-build
