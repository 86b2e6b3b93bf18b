#!/usr/bin/env bash
# The long checks of what must hold when things break (SECURITY.md): trainings killed at every system call of their saves, power
# lost at every moment, disks that fill up, syncs that fail, and a soak. Takes some ninety minutes; Scripts/test.sh has the quick ones.
#
#   Scripts/torture.sh [CASE ...]     cases: kill resume power disk limit faults soak strangers damage (see Scripts/torture.py --help)
#
# Needs strace and python3, and for the case `disk` the right to mount a tmpfs; installs strace where it can.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=Scripts/setup.sh
source Scripts/setup.sh
if ! command -v strace >/dev/null 2>&1; then
    if [ "$(id -u)" -eq 0 ]; then apt-get install -y -qq strace >/dev/null; else sudo apt-get install -y -qq strace >/dev/null; fi
fi
swift build -c release -j 2 --product vidclass
vidclass=$(swift build -c release --show-bin-path)/vidclass
exec python3 Scripts/torture.py --program "$vidclass" "$@"
