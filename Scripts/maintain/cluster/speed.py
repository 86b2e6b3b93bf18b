"""How fast a training encodes and steps, by what `train --json` tells."""

import json
import pathlib
import statistics
import subprocess
import sys

from . import trial
from .trial import Failed, Trial

MODEL = {
    "recurrent": [{"type": "lstm", "units": 256, "recurrent_activation": "hard_sigmoid"}],
    "hidden": [{"type": "dense", "units": 1024, "activation": "relu"}],
}


def vgg16(options, vidclass: pathlib.Path, work: pathlib.Path, name: str, clips: int, trainable, epochs: int) -> Trial:
    """A training of VGG16 on synthetic clips of the wanted shape, without a validation split."""
    folder = work / name
    folder.mkdir()
    shape = {"frames": options.frames, "rows": options.size, "columns": options.size}
    cnn = {"architecture": "vgg16", "weights": None, "trainable": trainable, "pooling": "average"}
    return Trial(vidclass, folder, {
        "model": {"input": shape, "cnn": cnn, **MODEL}, "data": {"validation_split": 0}, "optimizer": {"type": "sgd", "learning_rate": 1e-5},
        "training": {"epochs": epochs, "batch_size": options.batch, "shards": 2, "save_every_minutes": 1000},
    }, clips)


def local(ranks: int) -> list[str]:
    """The launcher of ranks on this machine; none for one rank."""
    return [] if ranks == 1 else ["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]


def events(training: Trial, name: str, launcher: list[str], threads: int, **settings) -> list[dict]:
    """Trains in a new folder, with `settings` of the training; returns the events of the training."""
    folder = training.folder(name, **settings)
    command = [*launcher, training.vidclass, "train", "--config", "config.json", "--json", "--no-cache", "--threads", threads]
    done = subprocess.run(list(map(str, command)), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def encoding(found: list[dict]) -> float:
    """Clips a second."""
    return [event for event in found if event["event"] == "encoding"][-1]["clips_per_second"]


def steps(found: list[dict]) -> float:
    """Clips a second of the epochs after the first."""
    return statistics.median([event["clips_per_second"] for event in found if event["event"] == "epoch"][1:])


def told(name: str, side: str, speed: float) -> float:
    """Shows a measurement at once: all of them take long."""
    print(f"{name}, {side}: {speed:.3f} clips a second", file=sys.stderr, flush=True)
    return speed


def ratios(heads: list[str], rounds: dict[str, list[tuple[float, float]]], wanted: dict[str, float]) -> list[str]:
    """Prints medians of pairs of speeds and of their ratios (second / first); returns which are below what is wanted."""
    rows, wrong = [], []
    for name, pairs in rounds.items():
        ratio = statistics.median(second / first for first, second in pairs)
        rows.append([name, *(f"{statistics.median(column):.3f}" for column in zip(*pairs)), f"{ratio:.3f}",
                     " ".join(f"{second / first:.3f}" for first, second in pairs), wanted[name]])
        if ratio < wanted[name]:
            wrong.append(f"{name}: {ratio:.3f}, wanted {wanted[name]}")
    trial.table([*heads, "ratio", "rounds", "wanted"], rows)
    return wrong
