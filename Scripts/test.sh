#!/usr/bin/env bash
# All checks: installs what is missing, builds in release mode, checks the format, the house's rules and the tags of its guards,
# runs the smoke training, the examples of README, help and documentation, random configurations if there is PyTorch, and the tests.
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
if command -v python3 >/dev/null 2>&1; then
    echo "== house"
    python3 Scripts/check_house.py
    PYTHONPATH=Scripts python3 -m maintain.guards --list >/dev/null
fi
echo "== smoke training"
./Scripts/smoke.sh
echo "== examples"
if command -v python3 >/dev/null 2>&1; then
    PYTHONPATH=Scripts python3 -m maintain.examples --vidclass "$(swift build -c release --show-bin-path)/vidclass"
else
    echo "python3 was not found: the house is not checked, and the examples of README, help and documentation are not run"
fi
echo "== random configurations"
python="${VIDCLASS_PYTHON_ENV:-.build/python}/bin/python"
if "$python" -c "import torch, safetensors" >/dev/null 2>&1; then
    PYTHONPATH=Scripts "$python" -m maintain.check_random --count 10 --vidclass "$(swift build -c release --show-bin-path)/vidclass"
else
    echo "$python has no PyTorch: not compared; python3 -m maintain.check_random installs it"
fi
echo "== tests"
swift test -c release --skip-build
