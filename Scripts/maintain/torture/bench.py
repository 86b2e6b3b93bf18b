"""A tiny training to be broken, and the bytes that it must end in."""

import csv
import json
import shutil
import subprocess

from maintain import process

# The system calls that touch files.
TOUCHING = "openat,pwrite64,write,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate,mkdir,mkdirat,close"
CONFIG = {
    "seed": 3,
    "model": {
        "input": {"frames": 2, "rows": 8, "columns": 8}, "cnn": {"architecture": {"blocks": [[2]]}, "weights": None, "trainable": True},
        "recurrent": [{"type": "lstm", "units": 2}], "hidden": [],
    },
    "data": {"path": "data", "validation_split": 0.25, "preprocessing": "unit"},
    "training": {"epochs": 3, "batch_size": 4, "save_every_minutes": 0, "save_every_epochs": 2},
}


class Bench:
    """A tiny training and the files that it ends in."""

    def __init__(self, vidclass, work):
        self.vidclass, self.work = vidclass, work
        process.quiet(vidclass, "synth", work / "data", "--classes", 2, "--clips-per-class", 4, "--frames", 2, "--rows", 8, "--columns", 8)
        whole = self.folder("whole")
        status, errors = self.train(whole)
        assert status == 0, errors
        self.expected = files(whole)

    def folder(self, name, parent=None):
        folder = (parent or self.work) / name
        folder.mkdir()
        config = json.loads(json.dumps(CONFIG))
        config["data"]["path"] = str(self.work / "data")
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    def words(self, folder):
        resume = (folder / "runs/train/config.json").exists()
        if not resume:
            shutil.rmtree(folder / "runs", ignore_errors=True)
        return [self.vidclass, "train", *(["--resume", "runs/train"] if resume else ["--config", "config.json"]), "--quiet", "--no-cache",
                "--threads", "1"]

    def train(self, folder, before=(), **options):
        done = subprocess.run([*before, *self.words(folder)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=300, **options)
        return done.returncode, done.stderr

    def finish(self, folder, what):
        """Resumes and compares the end with that of the whole training."""
        status, errors = self.train(folder)
        assert status == 0, f"{what}: resumed, it ended with {status}: {errors}"
        found = files(folder)
        # A state that a loss of power damaged is put aside.
        wrong = sorted(key for key in self.expected.keys() | found.keys()
                       if self.expected.get(key) != found.get(key) and not key.endswith(".damaged"))
        assert not wrong, f"{what}: other bytes in {wrong}"


def assert_refused(status, errors, folder, what):
    """A failed training ends with one line and exit code 74, and leaves no temporary file."""
    is_one_line = len([line for line in errors.splitlines() if line.startswith("vidclass: error: ")]) == 1 and "Fatal" not in errors
    assert status == 74 and is_one_line, f"{what}: ended with {status}: {errors}"
    assert_clean(folder, what)


def assert_clean(folder, what):
    left = sorted(str(path) for path in folder.rglob(".vidclass-*"))
    assert not left, f"{what}: left {left}"


def files(folder):
    """The contents of a run's files that interruptions may not change, by name. Which state `previous` is depends on the clock."""
    run = folder / "runs/train"
    found = {path.name: path.read_bytes() for path in (run / "weights").iterdir() if path.name != "previous.safetensors"}
    with open(run / "results.csv", newline="") as file:
        found["results.csv"] = repr([row[:1] + row[2:] for row in csv.reader(file)]).encode()
    found["splits.csv"] = (run / "splits.csv").read_bytes()
    return found
