"""Training by vidclass and by its peers: the same configuration, clips and number of seeds; what each seed came to."""

import csv
import json
import os
import pathlib
from dataclasses import dataclass

from bench_peers import child

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"


@dataclass(frozen=True)
class Peer:
    title: str
    program: list[str]
    packages: list[str]
    # Whether its optimiser has the formula of vidclass's, so that nothing but chance may tell the two apart.
    is_same: bool


PEERS = {
    "keras": Peer("Keras, the same Nadam", ["keras_training.py", "--nadam", "keras-1"], ["keras", "tensorflow-cpu"], True),
    "keras-3": Peer("Keras, its own Nadam", ["keras_training.py", "--nadam", "keras-3"], ["keras", "tensorflow-cpu"], False),
    # h5py reads the weights.
    "torch": Peer("PyTorch, NAdam", ["torch_training.py"], ["torch", "numpy", "h5py"], True),
}


@dataclass(frozen=True)
class Score:
    """Of the test part; the loss is the mean cross-entropy."""

    accuracy: float
    loss: float


@dataclass(frozen=True)
class Outcome:
    """Of one seed. The best epoch is the first that is best in accuracy of validation and, among equals, in its loss."""

    last: Score
    best: Score
    training_losses: list[float]


@dataclass(frozen=True)
class Task:
    """What everybody trains: a configuration on a split, in a folder for what comes of it."""

    config: pathlib.Path
    split: pathlib.Path
    weights: pathlib.Path | None
    seeds: int
    threads: int
    folder: pathlib.Path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "OMP_NUM_THREADS": str(self.threads), "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1",
            # vidclass's `imagenet` is the file of --weights, not what the user has imported.
            "XDG_CACHE_HOME": str(self.folder / "cache")}


def by_vidclass(vidclass: pathlib.Path, task: Task) -> list[Outcome]:
    if task.weights:
        run(task, [vidclass, "weights", "import", task.weights])
    outcomes = []
    for seed in range(1, task.seeds + 1):
        name = f"{task.config.stem}-{seed}"
        places = [f"seed={seed}", f"data.path={task.split}", f"output.directory={task.folder / 'runs'}", f"output.name={name}",
                  # A run of the same name is of an earlier comparison.
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
    command = [python, PROGRAMS / program, *options, "--config", task.config, "--split", task.split, "--seeds", task.seeds,
               "--threads", task.threads]
    if task.weights:
        command += ["--weights", task.weights]
    documents = json.loads(run(task, command).splitlines()[-1])
    return [Outcome(Score(**found["last"]), Score(**found["best"]), found["training_losses"]) for found in documents]


def run(task: Task, command: list) -> str:
    return child.run(command, task.environment, task.folder).output
