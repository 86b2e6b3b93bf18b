"""Fuzzes every parser of files from strangers, guided by coverage, with libFuzzer.

    PYTHONPATH=Scripts python3 -m maintain.fuzz MINUTES [PARSER ...]     MINUTES for each parser

First the kept regressions (Fuzz/regressions) run, then each parser from the seeds (Fuzz/seeds) and the inputs that earlier
runs kept (.build-fuzz/corpus). A finding is left in .build-fuzz/findings, and the exit code is 1. The HDF5 library, which is
not ours, may crash on a hostile file: vidclass runs it in a reader. So its findings are given to the command `weights import`,
which must refuse each in one line with exit code 65.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

from . import environment, process

ROOT = environment.REPOSITORY
BUILD = ROOT / ".build-fuzz"
FINDINGS = BUILD / "findings"
JSON = ["-max_len=8192", "-dict=Fuzz/json.dict"]
# The parsers, and libFuzzer's options for each.
PARSERS = {"kind": ["-max_len=4096"], "clip": ["-max_len=4096"], "npy": ["-max_len=4096"], "safetensors": JSON, "checkpoint": JSON,
           "weights": JSON, "config": JSON, "csv": ["-max_len=4096"], "table": ["-max_len=4096", "-dict=Fuzz/table.dict"],
           "reader": ["-max_len=4096"], "records": ["-max_len=4096"],
           "hdf5": ["-max_len=65536", "-timeout=5"]}


class Fuzzer:
    """One parser under libFuzzer."""

    def __init__(self, program: pathlib.Path, parser: str):
        self.parser, self.log = parser, FINDINGS / f"{parser}.log"
        self.corpus = BUILD / "corpus" / parser
        self.seeds = "Tests/VidCheckpointTests/Fixtures" if parser == "hdf5" else f"Fuzz/seeds/{parser}"
        self.command = [program, "-timeout=20", "-rss_limit_mb=2048", f"-artifact_prefix={FINDINGS}/{parser}-", *PARSERS[parser]]
        # Swift's own crash reporter would take the trap before libFuzzer sees it.
        self.variables = os.environ | {"SWIFT_BACKTRACE": "enable=no", "VIDCLASS_FUZZ": parser}
        self.corpus.mkdir(parents=True, exist_ok=True)
        FINDINGS.mkdir(parents=True, exist_ok=True)

    def run(self, *words, seconds: float | None = None, output=subprocess.DEVNULL) -> bool:
        """Whether it ends without a finding; killed after `seconds`."""
        try:
            return subprocess.run([*self.command, *words], cwd=ROOT, env=self.variables, stdout=output, stderr=subprocess.STDOUT,
                                  timeout=seconds).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def holds(self) -> bool:
        """Whether the kept cases pass."""
        kept = sorted((ROOT / "Fuzz" / "regressions" / self.parser).glob("*"))
        if self.parser == "hdf5" or not kept or self.run(*kept):
            return True
        print(f"{self.parser}: a kept case fails again")
        return False

    def fuzz(self, minutes: float) -> bool:
        with open(self.log, "w") as log:
            found = not self.run(f"-max_total_time={round(minutes * 60)}", self.corpus, self.seeds, output=log)
        if found:
            print(f"{self.parser}: a finding, see {self.log} and {FINDINGS}/{self.parser}-*")
        else:
            print(f"{self.parser}: {self.log.read_text(errors='replace').splitlines()[-1]}, no finding")
        return not found

    def fuzz_library(self, minutes: float) -> bool:
        """The HDF5 library breaks, hangs and takes libFuzzer's own handlers with it: runs of a minute, again and again."""
        end = time.monotonic() + minutes * 60
        with open(self.log, "w") as log:
            while (left := end - time.monotonic()) > 0:
                turn = min(60, max(1, round(left)))
                self.run("-print_final_stats=1", f"-max_total_time={turn}", self.corpus, self.seeds, seconds=turn + 30, output=log)
        inputs = sum(map(int, re.findall(r"number_of_executed_units:\s*(\d+)", self.log.read_text(errors="replace"))))
        print(f"hdf5: at least {inputs} inputs")
        return import_findings(sorted(FINDINGS.glob("hdf5-*")))


def import_findings(files: list[pathlib.Path]) -> bool:
    """Whether `weights import` refuses the files that break the library."""
    vidclass = process.build("vidclass") / "vidclass"
    refused = 0
    for file in files:
        done = subprocess.run([vidclass, "weights", "import", "--name", "fuzzed", file], env=os.environ | {"XDG_CACHE_HOME": str(BUILD / "cache")},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        # Signals 4 and 5 are traps of our own, not the library's.
        lines = [line for line in done.stderr.splitlines() if line.startswith("vidclass: error: ")]
        if done.returncode == 65 and len(lines) == 1 and not re.search(r"signal [45]\)", done.stderr):
            refused += 1
        else:
            print(f"hdf5: weights import ended with {done.returncode} on {file}")
    print(f"hdf5: {refused} files that break the library, refused by vidclass in one line")
    return refused == len(files)


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("minutes", type=float, metavar="MINUTES")
    parser.add_argument("parser", nargs="*", choices=[*PARSERS, []], metavar="PARSER", help=f"all unless named: {' '.join(PARSERS)}")
    options = parser.parse_args()
    if options.minutes <= 0:
        parser.error("MINUTES must be above 0")
    process.set_up()
    program = process.build("VidFuzz", "--sanitize", "fuzzer", "--scratch-path", ".build-fuzz", VIDCLASS_FUZZ_BUILD="1") / "VidFuzz"
    results = []
    for name in options.parser or PARSERS:
        fuzzer = Fuzzer(program, name)
        results += [fuzzer.holds(), fuzzer.fuzz_library(options.minutes) if name == "hdf5" else fuzzer.fuzz(options.minutes)]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
