"""The options of the peers' programs, the clips as the network takes them, the best epoch."""

import argparse
import csv
import json
import pathlib
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from maintain import clip


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ["config", "split", "weights"]:
        parser.add_argument(f"--{name}", type=pathlib.Path)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--nadam", choices=["keras-1", "keras-3"])
    options = parser.parse_args()
    options.config = json.loads(options.config.read_text())
    check(options.config["model"], options.config["optimizer"])
    return options


def check(model: dict, optimizer: dict) -> None:
    """Ends the program where the configuration has layers that the peers' programs do not build."""
    for layer in model["recurrent"]:
        if layer["type"] != "lstm" or layer.get("bidirectional") or layer.get("dropout") or layer.get("recurrent_dropout"):
            sys.exit(f"error: expected LSTM layers without dropout, found {layer}")
    for layer in model["hidden"]:
        if layer["type"] != "dense":
            sys.exit(f"error: expected dense layers, found {layer}")
    if optimizer["type"] != "nadam":
        sys.exit(f"error: expected nadam, found {optimizer['type']}")
    if model["cnn"]["trainable"] not in (True, False) or model["cnn"]["trainable"] == bool(model["cnn"]["weights"]):
        sys.exit("error: expected a CNN with weights that is frozen or one without that is trained")


@dataclass
class Split:
    """Preprocessed frames (clips, T, rows, columns, channels) and the classes' numbers (clips). Behind frozen layers the frames
    become features (clips, T, F)."""

    inputs: np.ndarray
    truth: np.ndarray


def splits(options: argparse.Namespace) -> tuple[dict[str, Split], int]:
    """The splits by name, and how many classes there are."""
    with open(options.split, newline="") as file:
        rows = list(csv.DictReader(file))
    classes = sorted({row["label"] for row in rows})
    frames = options.config["model"]["input"]["frames"]
    found = {}
    for name in ["train", "val", "test"]:
        own = [row for row in rows if row["split"] == name]
        clips = [clip.select(clip.read(options.split.parent / row["path"]), frames, "loop")[0] for row in own]
        pixels = clip.preprocess(np.stack(clips), options.config["data"]["preprocessing"])
        found[name] = Split(pixels.astype(np.float32), np.array([classes.index(row["label"]) for row in own]))
    return found, len(classes)


class Outcome:
    """The results of a seed, epoch by epoch. A score is (accuracy, loss)."""

    def __init__(self, epochs: int):
        self.epochs = epochs
        self.training_losses: list[float] = []
        self.validation, self.best, self.last = None, None, None

    def note(self, training_loss: float, validation: tuple[float, float], test: Callable[[], tuple[float, float]]) -> None:
        self.training_losses.append(training_loss)
        # vidclass's rule: the greater accuracy and, among equals, the lower loss.
        is_best = self.validation is None or (validation[0], -validation[1]) > (self.validation[0], -self.validation[1])
        is_last = len(self.training_losses) == self.epochs
        # The other epochs' tests would only take time.
        score = test() if is_best or is_last else None
        if is_best:
            self.validation, self.best = validation, score
        if is_last:
            self.last = score

    def document(self) -> dict:
        def score(pair):
            return {"accuracy": float(pair[0]), "loss": float(pair[1])}

        return {"last": score(self.last), "best": score(self.best), "training_losses": [float(loss) for loss in self.training_losses]}


def answer(outcomes: list[Outcome]) -> None:
    """Prints the document that the comparison reads: the last line of output."""
    print(json.dumps([outcome.document() for outcome in outcomes]), flush=True)
