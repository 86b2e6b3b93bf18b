"""Breaks trainings in every way a machine can, and looks at what is left.

    PYTHONPATH=Scripts python3 -m maintain.torture [CASE ...]

  kill       SIGKILL at every system call that touches files
  resume     SIGKILL, SIGTERM and SIGINT at 200 random moments of larger trainings
  power      the writes of a training are recorded; power is lost after each of them, with what was not synced dropped, kept or garbled
  disk       trainings on tmpfs of growing sizes, each filling up at another place
  limit      the same by a limit on the size of files (EFBIG)
  faults     each sync, write, renaming, link and making of a folder fails in turn
  strangers  playlists, scripts, addresses and bombs as videos, odd names, every command: nothing else is touched (by strace)
  damage     videos cut off and with bits flipped at many places
  soak       2,000 epochs in one process, 20,000 predictions in another: memory, descriptors and threads

After each blow to a training the run's checkpoints must load, old or new; an error must be one line with exit code 74; an error
may leave no temporary file behind; and the resumed training must end in the bytes of an uninterrupted one.

All cases take some ninety minutes. They need strace, ffmpeg and, for `disk`, the right to mount a tmpfs.
"""

import pathlib
import shutil
import sys
import tempfile
import time

from maintain import environment

from . import faults, full, kills, power, soak, strangers
from .bench import Bench

CASES = {
    "kill": kills.kill, "resume": kills.resume, "power": power.power, "disk": full.disk, "limit": full.limit, "faults": faults.faults,
    "strangers": strangers.strangers, "damage": strangers.damage, "soak": soak.soak,
}


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("case", nargs="*", choices=[*CASES, []], help="all unless named")
    environment.add_program(parser)
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.exit("error: strace was not found; on Debian: apt-get install strace")
    failed = False
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory() as work:
            start = time.monotonic()
            try:
                result = CASES[name](Bench(options.vidclass, pathlib.Path(work).resolve()))
            except AssertionError as error:
                result, failed = f"FAILED: {error}", True
            print(f"{name}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
