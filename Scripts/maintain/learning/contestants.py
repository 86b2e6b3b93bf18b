"""The data that all train on, and training by vidclass and by its peers: the same configuration, clips and number of seeds."""

import csv
import json
import os
import pathlib
import random
import sys
from dataclasses import dataclass

from maintain import environment, process


SPLITS = ["train", "val", "test"]


@dataclass(frozen=True)
class Split:
    csv: pathlib.Path
    classes: int
    counts: dict[str, int]


def write_split(folder: pathlib.Path, training: int, validation: int, seed: int) -> Split:
    """Writes folder/split.csv: so many random clips of each class for training and validation, the rest for the test.

    A clip's class is the name of its folder.
    """
    by_class: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.bin")):
        by_class.setdefault(path.parent.name, []).append(str(path.relative_to(folder)))
    draw = random.Random(seed)
    rows = []
    for label, paths in sorted(by_class.items()):
        if len(paths) <= training + validation:
            sys.exit(f"error: {folder}: {label} has {len(paths)} clips, expected more than {training} + {validation}; "
                     "give less to --training or --validation")
        draw.shuffle(paths)
        names = ["train"] * training + ["val"] * validation + ["test"] * (len(paths) - training - validation)
        rows += [(path, label, name) for path, name in zip(paths, names)]
    if len(by_class) < 2:
        sys.exit(f"error: {folder} has clips of {len(by_class)} classes, expected 2 at least: a folder each")
    target = folder / "split.csv"
    with open(target, "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split"), *sorted(rows)])
    return Split(target, len(by_class), {name: sum(row[2] == name for row in rows) for name in SPLITS})


@dataclass(frozen=True)
class Peer:
    title: str
    program: list[str]
    packages: list[str]
    # Whether its optimiser has vidclass's formula, so that nothing but chance may tell the two apart.
    is_same: bool


PEERS = {
    "keras": Peer("Keras, the same Nadam", ["keras_training", "--nadam", "keras-1"], ["keras", "tensorflow-cpu", "numpy"], True),
    "keras-3": Peer("Keras, its own Nadam", ["keras_training", "--nadam", "keras-3"], ["keras", "tensorflow-cpu", "numpy"], False),
    # h5py reads the weights.
    "torch": Peer("PyTorch, NAdam", ["torch_training"], ["torch", "numpy", "h5py"], True),
}


@dataclass(frozen=True)
class Score:
    """A score on the test split; the loss is the mean cross-entropy."""

    accuracy: float
    loss: float


@dataclass(frozen=True)
class Outcome:
    """The results of one seed. The best epoch is the first with the highest validation accuracy and, among equals, the lowest loss."""

    last: Score
    best: Score
    training_losses: list[float]


@dataclass(frozen=True)
class Task:
    """The training that all do: a configuration on a split, in a folder for the results."""

    config: pathlib.Path
    split: pathlib.Path
    weights: pathlib.Path | None
    seeds: int
    threads: int
    folder: pathlib.Path

    @property
    def variables(self) -> dict[str, str]:
        return os.environ | {
            "OMP_NUM_THREADS": str(self.threads), "PYTHONPATH": str(environment.SCRIPTS), **environment.QUIET,
            # vidclass's `imagenet` is the file of --weights, not what the user has imported.
            "XDG_CACHE_HOME": str(self.folder / "cache")}


def by_vidclass(vidclass: pathlib.Path, task: Task) -> list[Outcome]:
    if task.weights:
        run(task, [vidclass, "weights", "import", task.weights])
    outcomes = []
    for seed in range(1, task.seeds + 1):
        name = f"{task.config.stem}-{seed}"
        places = [f"seed={seed}", f"data.path={task.split}", f"output.directory={task.folder / 'runs'}", f"output.name={name}",
                  # A run of the same name is an earlier comparison's.
                  "output.exist_ok=true"]
        run(task, [vidclass, "train", "--config", task.config, "--quiet", "--threads", task.threads,
                   *[word for place in places for word in ("--set", place)]])
        with open(task.folder / "runs" / name / "results.csv", newline="") as file:
            losses = [float(row["train/loss"]) for row in csv.DictReader(file)]
        scores = {}
        for kind in ["last", "best"]:
            checkpoint = task.folder / "runs" / name / "weights" / f"{kind}.safetensors"
            document = json.loads(run(task, [vidclass, "eval", "--checkpoint", checkpoint, "--split", "test", "--json"]))
            scores[kind] = Score(document["categorical_accuracy"], document["loss"])
        outcomes.append(Outcome(**scores, training_losses=losses))
    return outcomes


def by_peer(python: pathlib.Path, peer: Peer, task: Task) -> list[Outcome]:
    program, *options = peer.program
    command = [python, "-m", f"maintain.learning.{program}", *options, "--config", task.config, "--split", task.split, "--seeds", task.seeds,
               "--threads", task.threads]
    if task.weights:
        command += ["--weights", task.weights]
    documents = json.loads(run(task, command).splitlines()[-1])
    return [Outcome(Score(**found["last"]), Score(**found["best"]), found["training_losses"]) for found in documents]


def run(task: Task, command: list) -> str:
    return process.run(command, task.variables, task.folder).text
