"""The training that the checks run on clusters, and the bytes that it must end in."""

import json
import math
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from maintain import environment, process
from maintain.torture.bench import files

# All ranks of a training end within so many seconds of a fault.
BOUND = 30
CLIPS = 48
# With a dense layer of a few million weights, whose gradients travel in every step.
CONFIG = {
    "seed": 7,
    "model": {
        "input": {"frames": 4, "rows": 32, "columns": 32},
        "cnn": {"architecture": {"blocks": [[16], [32]]}, "weights": None, "trainable": True, "pooling": "flatten"},
        "recurrent": [{"type": "lstm", "units": 128, "dropout": 0.2}],
        "hidden": [{"type": "dense", "units": 64}],
    },
    "data": {"path": "data", "validation_split": 0.25, "preprocessing": "symmetric"},
    "training": {"epochs": 8, "batch_size": 8, "shards": 4, "save_every_minutes": 0.01},
    "output": {"directory": "runs", "name": "train"},
}
ERROR = re.compile(r"^vidclass: error: (.*)")
# What Open MPI's mpirun says when it notices first.
LAUNCHER = re.compile(r"(?:ORTE has lost communication|\S+ noticed that process rank \d+).*")


class Failed(Exception):
    """A check did not find what it expected."""


def merged(one: dict, other: dict) -> dict:
    """`one` with the values of `other`, which may be nested."""
    both = {key: merged(one[key], other[key]) for key in one.keys() & other.keys() if isinstance(other[key], dict)}
    return one | other | both


@dataclass
class Ended:
    status: int
    errors: str
    seconds: float

    @property
    def messages(self) -> list[str]:
        """What the user is told: vidclass's errors, or else mpirun's word."""
        lines = self.errors.splitlines()
        own = [found[1] for line in lines if (found := ERROR.match(line))]
        return own or [f"mpirun: {found[0]}" for line in lines if (found := LAUNCHER.match(line))]


class Trial:
    """Synthetic clips and folders of trainings."""

    def __init__(self, vidclass: pathlib.Path, work: pathlib.Path, config: dict | None = None, clips: int = CLIPS):
        self.vidclass, self.work = vidclass, work
        self.config = merged(CONFIG, config or {})
        given = self.config["model"]["input"]
        process.quiet(vidclass, "synth", work / "data", "--classes", 4, "--clips-per-class", clips // 4, "--frames", given["frames"],
                      "--rows", given["rows"], "--columns", given["columns"])

    def folder(self, name: str, **training) -> pathlib.Path:
        """A new folder with the configuration."""
        folder = self.work / name
        folder.mkdir()
        config = merged(self.config, {"training": training, "data": {"path": str(self.work / "data")}})
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    def words(self, folder: pathlib.Path, *options) -> list[str]:
        """The command that trains in `folder`, or resumes what is there."""
        what = ["--resume", "runs/train"] if (folder / "runs/train/config.json").exists() else ["--config", "config.json"]
        return [str(self.vidclass), "train", *what, "--quiet", "--no-cache", "--threads", "1", *options]


def start(command: list, folder: pathlib.Path) -> subprocess.Popen:
    """Starts a command in a session of its own, whose errors go to the file `errors`."""
    with open(folder / "errors", "w") as errors:
        return subprocess.Popen(list(map(str, command)), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                start_new_session=True)


def wait(running: subprocess.Popen, folder: pathlib.Path, limit: float) -> Ended:
    """Waits for a command; kills it after `limit` seconds."""
    begun = time.monotonic()
    try:
        status = running.wait(limit)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        raise Failed(f"still running after {limit:.0f} s: {(folder / 'errors').read_text()[-1000:]}") from None
    return Ended(status, (folder / "errors").read_text(errors="replace"), time.monotonic() - begun)


def whole(command: list, folder: pathlib.Path, limit: float = 600) -> float:
    """Runs a command that must succeed; returns its seconds."""
    ended = wait(start(command, folder), folder, limit)
    if ended.status != 0:
        raise Failed(f"ended with {ended.status}: {ended.errors[-2000:]}")
    return ended.seconds


def epochs_done(folder: pathlib.Path) -> int:
    results = folder / "runs/train/results.csv"
    return max(0, results.read_text().count("\n") - 1) if results.exists() else 0


def wait_for_epochs(running: subprocess.Popen, folder: pathlib.Path, count: int, limit: float = 300) -> None:
    end = time.monotonic() + limit
    while epochs_done(folder) < count:
        if running.poll() is not None or time.monotonic() > end:
            raise Failed(f"the training does not come to epoch {count}: {(folder / 'errors').read_text()[-2000:]}")
        time.sleep(0.01)


def compare(expected: dict, folder: pathlib.Path) -> str:
    """The word for a table: whether the training's files have the expected bytes."""
    found = files(folder)
    wrong = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    return f"OTHER BYTES in {', '.join(wrong)}" if wrong else "same bytes"


def need_root(part: str) -> None:
    if os.geteuid() != 0:
        sys.exit(f"{part} needs root, for {'the daemons of Slurm' if part == 'slurm' else 'network namespaces'}: run it as root or with sudo")


def table(heads: list[str], rows: list[list]) -> None:
    lines = [heads] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    print(flush=True)


def plugin() -> pathlib.Path:
    """The plug-in for MPI, built now."""
    path = environment.REPOSITORY / ".build/mpi/libvidclass_mpi.so"
    process.quiet(environment.SCRIPTS / "mpi_plugin.sh", "--output", path)
    return path


def parameters(path: pathlib.Path) -> int:
    """The number of values in a checkpoint's tensors."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
