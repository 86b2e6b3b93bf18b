#!/usr/bin/env python3
"""Breaks trainings in every way a machine can, and looks at what is left.

  kill       SIGKILL at every system call that touches files
  resume     SIGKILL, SIGTERM and SIGINT at 200 random moments of larger trainings
  power      the writes of a training are recorded; power is lost after each of them, with what was not synced dropped, kept or garbled
  disk       trainings on tmpfs of growing sizes, each filling up somewhere else
  limit      the same by a limit on the size of files (EFBIG)
  faults     each sync, write, renaming, link and making of a folder fails in turn
  strangers  playlists, scripts, addresses and bombs for videos, odd names, every command: no other file or host is touched (by strace)
  damage     videos cut off and with bits flipped at many places
  soak       2,000 epochs in one process, 20,000 predictions in another: memory, descriptors and threads

After each blow to a training the run's checkpoints must load, old or new; an error must be one line with exit code 74; no temporary file may be left
behind by an error; and the resumed training must end in the same bytes as one that nothing happened to.
"""
import argparse
import pathlib
import sys
import tempfile
import time
from torture import faults, full, kills, power, soak, strangers
from torture.bench import Bench

CASES = {
    "kill": kills.kill, "resume": kills.resume, "power": power.power, "disk": full.disk, "limit": full.limit, "faults": faults.faults,
    "soak": soak.soak, "strangers": strangers.strangers, "damage": strangers.damage,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", choices=[*CASES, []], help="all unless named")
    parser.add_argument("--program", required=True, help="the vidclass to break")
    options = parser.parse_args()
    failed = False
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory() as work:
            start = time.monotonic()
            try:
                result = CASES[name](Bench(str(pathlib.Path(options.program).resolve()), pathlib.Path(work).resolve()))
            except AssertionError as error:
                result, failed = f"FAILED: {error}", True
            print(f"{name}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
