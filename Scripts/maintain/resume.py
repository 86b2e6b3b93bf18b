"""Checks that a training that is killed and resumed writes the bytes of an uninterrupted one.

    PYTHONPATH=Scripts python3 -m maintain.resume [--kills N] [--case NAME ...]

Trains once without a stop; then, N times per case, kills the same training at a random moment (SIGKILL, SIGTERM or SIGINT in turns),
resumes it, kills that again now and then, and lets it end. last.safetensors, best.safetensors, the kept epochs, splits.csv and
results.csv (its times aside) must be those of the first training, byte by byte. Prints a line per case; exits with 1 at a difference.
"""

import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import environment, process
from .torture.bench import files

SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
MODEL = {
    "input": {"frames": 6, "rows": 32, "columns": 32},
    "cnn": {"architecture": {"blocks": [[8], [16]]}, "weights": None, "trainable": True},
    "recurrent": [{"type": "batch_normalization", "momentum": 0.9}, {"type": "lstm", "units": 32, "dropout": 0.2}],
    "hidden": [{"type": "dense", "units": 32}, {"type": "dropout", "rate": 0.3}],
}
TRAINING = {"epochs": 24, "batch_size": 8, "save_every_minutes": 0.001, "save_every_epochs": 3}
RANDOM = {
    "data": {"sampling": {"type": "random"}},
    "augmentation": {
        "horizontal_flip": 0.5, "random_resized_crop": {"scale": 0.7}, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2,
        "rotation": 5, "frame_drop": 0.1, "time_reverse": 0.1, "mixup": 0.2,
    },
    "optimizer": {"gradient_accumulation_steps": 2},
    "evaluation": {"clips": 2},
}
CASES = {
    "plain": {},
    "frozen": {"model": {"cnn": {"trainable": False}}, "training": {"epochs": 200, "save_every_epochs": 50}},
    "random": RANDOM | {"training": {"balanced_sampling": True, "class_weights": "balanced"}},
    "stages": RANDOM | {
        "stages": [{"epochs": 12, "trainable": False, "learning_rate": 0.004}, {"trainable": "block2_conv1", "learning_rate": 0.0005}],
        "training": {
            "epochs": 30, "save_every_epochs": 2, "early_stopping": {"patience": 8, "restore_best_weights": True},
            "reduce_lr_on_plateau": {"patience": 1, "factor": 0.5}, "learning_rate_schedule": {"type": "cosine", "warmup_epochs": 0.5},
        },
    },
}


def merged(one: dict, other: dict) -> dict:
    return {
        key: merged(one[key], other[key]) if isinstance(one.get(key), dict) and isinstance(other.get(key), dict) else other.get(key, one.get(key))
        for key in {**one, **other}
    }


class Training:
    """One configuration, trained in folders of its own."""

    def __init__(self, vidclass: pathlib.Path, work: pathlib.Path, name: str, data: pathlib.Path):
        self.vidclass, self.work, self.name = vidclass, work / name, name
        self.work.mkdir()
        base = {
            "seed": 5, "model": MODEL, "training": TRAINING,
            "data": {"path": str(data), "validation_split": 0.25, "test_split": 0.1, "preprocessing": "symmetric"},
            "output": {"directory": "runs", "name": "train"},
        }
        (self.work / "config.json").write_text(json.dumps(merged(base, CASES[name])))

    def start(self, folder: pathlib.Path, resume: bool) -> subprocess.Popen:
        words = ["--resume", "runs/train"] if resume else ["--config", str(self.work / "config.json")]
        return subprocess.Popen(
            [self.vidclass, "train", *words, "--quiet", "--no-cache"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)

    def whole(self) -> tuple[dict, float]:
        folder = self.work / "whole"
        folder.mkdir()
        start = time.monotonic()
        process = self.start(folder, resume=False)
        errors = process.communicate()[1]
        if process.returncode != 0:
            sys.exit(f"{self.name}: the training without a stop ended with {process.returncode}: {errors}")
        return files(folder), time.monotonic() - start

    def killed(self, number: int, seconds: float, random_: random.Random) -> tuple[dict, int]:
        """The files of a training killed at a random moment, and how often it was."""
        folder = self.work / f"killed{number}"
        folder.mkdir()
        kills, resume = 0, False
        while True:
            process = self.start(folder, resume)
            # At first always; a resumed training half of the time.
            if kills == 0 or (kills < 6 and random_.random() < 0.5):
                time.sleep(random_.random() * seconds)
                if process.poll() is None:
                    process.send_signal(SIGNALS[(number + kills) % len(SIGNALS)])
                    if random_.random() < 0.2:
                        process.send_signal(signal.SIGINT)
                kills += 1
            errors = process.communicate()[1]
            if process.returncode == 0:
                break
            if process.returncode not in (-signal.SIGKILL, 130, 143, 66, -signal.SIGINT, -signal.SIGTERM):
                sys.exit(f"{self.name}: run {number} ended with {process.returncode}: {errors}")
            # Killed before the run had a configuration: there is nothing to resume.
            resume = (folder / "runs/train/config.json").exists()
            if not resume:
                shutil.rmtree(folder / "runs", ignore_errors=True)
        found = files(folder)
        shutil.rmtree(folder)
        return found, kills


def check(vidclass: pathlib.Path, kills: int, cases=tuple(CASES), seed: int = 1) -> tuple[list[str], int]:
    """A line per case, and how many trainings ended in other bytes."""
    lines, failures = [], 0
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        data = work / "data"
        process.quiet(vidclass, "synth", data, "--clips-per-class", 24, "--frames", 12, "--rows", 32, "--columns", 32)
        for name in cases:
            training = Training(vidclass, work, name, data)
            expected, seconds = training.whole()
            random_ = random.Random(f"{seed} {name}")
            stops, different = 0, []
            for number in range(kills):
                found, times = training.killed(number, seconds, random_)
                stops += times
                wrong = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
                if wrong:
                    different.append(f"run {number}: {', '.join(wrong)}")
            failures += len(different)
            lines.append(f"{name}: {kills} trainings of {seconds:.1f} s stopped {stops} times, {len(expected)} files each, "
                         f"{len(different)} different" + "".join("\n  " + line for line in different))
    return lines, failures


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("--kills", type=int, default=50, help="killed trainings of each case")
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seed", type=int, default=1)
    environment.add_program(parser)
    options = parser.parse_args()
    failures = 0
    for case in options.case:
        lines, different = check(options.vidclass, options.kills, [case], options.seed)
        print(*lines, flush=True)
        failures += different
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
