"""Measures how time, memory and reports grow with the number of clips: a check, a training's start, predict, a report.

    PYTHONPATH=Scripts python3 -m maintain.scale [--vidclass FILE] [--clips N ...] [--folder DIR]

For each number N it makes N clips of 1,600 bytes and a table of them below DIR, measures, and removes them. A clip takes 4 KB of disk;
1,000,000 clips with their cache take 5 GB. All clips differ, but for one of each 10,000, which is in both splits: exits with 1 if the
leak search does not find exactly these. Prints a table in Markdown with seconds of wall-clock and processor time.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass

from . import process

CLASSES, SIDE, FRAMES = 10, 16, 2
# Of so many clips in a row, the last one repeats the one before it; of five, the last is for validation.
REPEATED, VALIDATION = 10_000, 5
PAYLOAD = FRAMES * 3 * SIDE * SIDE
CONFIGURATION = {
    "model": {"input": {"frames": FRAMES, "channels": 3, "rows": SIDE, "columns": SIDE},
              "cnn": {"architecture": {"blocks": [[4]]}, "weights": None, "trainable": True}, "recurrent": [], "hidden": []},
    "data": {"leak_check": "report"}, "training": {"epochs": 1, "batch_size": 64}}


@dataclass
class Measured:
    seconds: float
    processor: float
    peak: int

    def told(self, what):
        """Says what was measured while the rest goes on."""
        print(f"  {what}: {self.text()} s, {self.peak / 2**20:.0f} MiB", file=sys.stderr, flush=True)
        return self

    def text(self):
        return f"{self.seconds:.1f} ({self.processor:.1f})"


def make(folder, count):
    """Writes the clips and their table, `clips.csv`; returns the table."""
    source, payload = random.Random(count), b""
    for label in range(CLASSES):
        (folder / f"c{label}").mkdir(parents=True)
    table = folder / "clips.csv"
    with open(table, "w") as rows:
        rows.write("path,label,split\n")
        for number in range(count):
            if number % REPEATED != REPEATED - 1:
                payload = source.randbytes(PAYLOAD)
            header = struct.pack("<8sHBB4IfQI16x", b"\x89VCLP\r\n\x1a", 1, 0, 0, FRAMES, 3, SIDE, SIDE, 8, PAYLOAD, zlib.crc32(payload))
            label = number // VALIDATION % CLASSES
            name = f"c{label}/{number:07}.bin"
            with open(folder / name, "wb") as file:
                file.write(header + struct.pack("<I", zlib.crc32(header)) + payload)
            rows.write(f"{name},c{label},{'val' if number % VALIDATION == VALIDATION - 1 else 'train'}\n")
    return table


def first_line(command, variables, folder, wanted=lambda line: True):
    """Runs a command until it has written a line that is wanted, then ends it; returns what it took."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(list(map(str, command)), env=variables, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=errors, start_new_session=True)
        found = any(wanted(line) for line in child.stdout)
        seconds = time.perf_counter() - start
        process.kill(child)
        child.stdout.close()
        _, _, usage = os.wait4(child.pid, 0)
        child.returncode = 0
        if not found:
            sys.exit(f"{' '.join(map(str, command))} ended early: {process.content(errors).decode()[-2000:]}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024).told(f"{command[1]}, until it starts")


def whole(command, variables, folder):
    ended = process.run(command, variables, folder)
    return Measured(ended.seconds, ended.processor_seconds, ended.peak_bytes).told(command[1]), ended.text


def measure(vidclass, folder, count):
    """Measures all with `count` clips; returns a row of the table."""
    work = folder / str(count)
    shutil.rmtree(work, ignore_errors=True)
    print(f"making {count:,} clips", file=sys.stderr, flush=True)
    table = make(work / "data", count)
    variables = os.environ | {"XDG_CACHE_HOME": str(work / "cache"), "VIDCLASS_CACHE_GIB": "10"}
    # What changed in the last two seconds is not remembered.
    time.sleep(3)
    check = [vidclass, "check", table, "--set", "data.leak_check=report"]
    cold, text = whole(check, variables, work)
    # The leak search is a small difference of large times: medians of three, in turns.
    turns = [(whole(check, variables, work), whole([*check[:-1], "data.leak_check=off"], variables, work)[0]) for _ in range(3)]
    warm, again = sorted((turn[0] for turn in turns), key=lambda turn: turn[0].seconds)[1]
    search = statistics.median(turn[0][0].processor for turn in turns) - statistics.median(turn[1].processor for turn in turns)
    pairs = count // REPEATED
    if text != again or ("No two clips" if pairs == 0 else f"{pairs:,} pair".replace(",", "")) not in text.replace(",", ""):
        sys.exit(f"expected {pairs} pairs of equal clips in two reports that are the same, found {text[-400:]} and {again[-400:]}")
    document = first_size([*check, "--json"], variables, work)
    configuration = work / "config.json"
    configuration.write_text(json.dumps(CONFIGURATION | {"data": {"path": str(table), "leak_check": "report"},
                                                         "output": {"directory": str(work / "runs")}}))
    start = first_line([vidclass, "train", "--config", configuration, "--json"], variables, work,
                       lambda line: json.loads(line)["event"] == "start")
    model = small_model(vidclass, work, variables)
    listed = work / "paths.txt"
    listed.write_text("".join(f"{work}/data/{line.split(',')[0]}\n" for line in table.read_text().splitlines()[1:]))
    predict = first_line([vidclass, "predict", "--checkpoint", model, "--input-list", listed, "--format", "jsonl"], variables, work)
    report, _ = whole([vidclass, "eval", "--checkpoint", model, "--data", table, "--split", "val", "--output", work / "report"], variables, work)
    page = (work / "report" / "report.html").stat().st_size
    predictions = (work / "report" / "predictions.csv").stat().st_size
    cache = sum(file.stat().st_size for file in (work / "cache").rglob("*") if file.is_file())
    row = [f"{count:,}", cold.text(), warm.text(), f"{search:.1f}", start.text(), predict.text(), report.text(),
           f"{page / 1e3:.0f} KB, {predictions / 1e6:.1f} MB", f"{document / 1e6:.0f} MB", f"{cache / 1e6:.0f} MB",
           *(f"{one.peak / 2**20:.0f} MiB" for one in (cold, warm, start, predict, report))]
    shutil.rmtree(work)
    return row


def first_size(command, variables, folder):
    """The bytes that a command writes."""
    with tempfile.TemporaryFile() as output:
        subprocess.run(list(map(str, command)), env=variables, cwd=folder, stdout=output, stderr=subprocess.DEVNULL, check=True)
        return output.tell()


def small_model(vidclass, work, variables):
    """A model of the same kind, trained on a few clips."""
    table = make(work / "few", 200)
    configuration = work / "few.json"
    configuration.write_text(json.dumps(CONFIGURATION | {"data": {"path": str(table)}, "output": {"directory": str(work / "runs"), "name": "few"}}))
    process.quiet("env", f"XDG_CACHE_HOME={variables['XDG_CACHE_HOME']}", vidclass, "train", "--config", configuration, "--quiet", folder=work)
    return work / "runs" / "few" / "weights" / "best.safetensors"


COLUMNS = ["clips", "cold check, s", "warm check, s", "leak search, s", "start of `train`, s", "start of `predict`, s", "`eval` with report, s",
           "report.html, predictions.csv", "`check --json`", "cache", "memory: cold check", "warm check", "`train`", "`predict`", "`eval`"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vidclass", type=pathlib.Path, help="the program; by default it is built")
    parser.add_argument("--clips", type=int, nargs="+", default=[20_000, 100_000, 1_000_000], help="the numbers of clips")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "vidclass-scale", help="where clips are made")
    options = parser.parse_args()
    vidclass = (options.vidclass or process.build("vidclass") / "vidclass").resolve()
    rows = [measure(vidclass, options.folder.resolve(), count) for count in options.clips]
    print("| |" + "".join(f" {row[0]} |" for row in rows) + "\n|---|" + "---:|" * len(rows))
    for place, name in enumerate(COLUMNS[1:], 1):
        print(f"| {name} |" + "".join(f" {row[place]} |" for row in rows))


if __name__ == "__main__":
    main()
