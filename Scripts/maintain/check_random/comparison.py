"""One case: trained by vidclass and by PyTorch, every number compared."""

import csv
import hashlib
import json
import os
import pathlib
import tempfile
from dataclasses import dataclass, field

import numpy as np
import torch
from safetensors.numpy import load_file

from maintain import network, process

from . import cases, keras_model
from .reference import Reference
from .rounding import Rounding

# An element may be as far from double precision as TOLERANCE times its spread over repetitions under `Rounding`. Where REPETITIONS
# do not explain a difference, PATIENCE more are tried: a ReLU or a gradient that rounding decides shows in some of them; a fault
# shows in none.
TOLERANCE = 4
REPETITIONS = 3
PATIENCE = 13
# A spread of this share of a tensor's largest element is far.
DECIDED = 0.01


@dataclass
class Outcome:
    """What one case showed."""

    config: dict = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    # The largest difference as a share of what is allowed, and the tensor that has it.
    worst: float = 0.0
    where: str = ""
    repetitions: int = 0
    # Tensors that are decided by rounding.
    decided: int = 0
    # For each tensor, what its median element may differ by, as a share of its largest.
    allowed: list[float] = field(default_factory=list)


def check(seed, program, with_keras, outcome):
    """Trains the case of a seed with the program, and compares."""
    case = cases.draw(seed)
    outcome.config = case.config
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        cases.write(case, folder)
        (folder / "config.json").write_text(json.dumps(case.config))
        run = folder / "runs" / "run"
        state = run / "weights" / "last.safetensors"

        def vidclass(*words):
            return process.run([program, *words, "--threads", case.threads], dict(os.environ), folder)

        # A training that has no time left keeps the weights and the order that it would begin with.
        vidclass("train", "--config", "config.json", "--no-cache", "--quiet", "--set", "training.max_minutes=1e-9")
        if case.draws_weights:
            rewrite(state, lambda parameters: cases.drawn_weights(case, parameters))
        initial = parameters_of(state)
        vidclass("train", "--resume", "runs/run", "--no-cache", "--quiet", "--set", "training.max_minutes=null")
        paths = [each.path for each in case.clips]
        best = run / "weights" / "best.safetensors"
        predicted = vidclass("predict", *paths, "--checkpoint", best, "--top", case.classes, "--format", "json")
        scores = scores_of(json.loads(predicted.output), case)
        compare(case, run, initial, tensors_of(state), scores, parameters_of(best), outcome)
        if with_keras and network.layers(case.config["model"]) is None:
            outcome.complaints += keras_model.check(case, folder, program, best, scores)


def compare(case, run, initial, tensors, scores, best, outcome):
    reference = Reference(case, run)
    cnn = case.config["model"]["cnn"]
    winograd = cnn is not None and cnn["convolution"] != "im2col"
    if "input/mean" in initial:
        for name, values in reference.statistics().items():
            if not np.allclose(initial[name], values, rtol=1e-6, atol=1e-6):
                outcome.complaints.append(f"{name}: {initial[name]}, expected {values}")
                return
    best = {name: torch.tensor(values, dtype=torch.float64) for name, values in best.items()}

    def numbers(rounding=None):
        trained = reference.train(initial, rounding)
        return trained | {"scores": reference.probabilities(case.clips, best, rounding).numpy()}

    exact = numbers()
    found = tensors | {"scores": scores}
    with open(run / "results.csv", newline="") as file:
        for row in csv.DictReader(file):
            found |= {f"epoch {row['epoch']}: {key}": np.float64(value) for key, value in row.items()
                      if key not in ("epoch", "time") and value}
    if found.keys() != exact.keys():
        outcome.complaints.append(f"other numbers than expected: {sorted(found.keys() ^ exact.keys())}")
        return
    spread = {name: np.zeros_like(values) for name, values in exact.items()}
    for repetition in range(REPETITIONS + PATIENCE):
        repeated = numbers(Rounding(repetition, winograd))
        spread = {name: np.fmax(values, np.abs(repeated[name] - exact[name])) for name, values in spread.items()}
        outcome.repetitions = repetition + 1
        if repetition + 1 >= REPETITIONS:
            outcome.worst, outcome.allowed, outcome.decided = 0.0, [], 0
            outcome.complaints = [each for name in exact if (each := difference(name, found[name], exact[name], spread[name], outcome))]
            if not outcome.complaints:
                break


def difference(name, found, exact, spread, outcome):
    """None where the tensor agrees, or what differs most."""
    if found.shape != exact.shape:
        return f"{name}: the shape {found.shape}, expected {exact.shape}"
    # Three repetitions may happen to be close in an element; then the tensor's median counts.
    typical = np.median(spread[spread > 0]) if (spread > 0).any() else 0.0
    allowed = np.where(spread > 0, TOLERANCE * np.fmax(spread, typical), 0.0)
    # Rounding decides the whole tensor where it moves many elements far: a small batch in front of a batch normalisation, under an
    # optimizer that makes a full step of any gradient. Three repetitions then do not show how far each element can move.
    if (spread > DECIDED * np.abs(exact).max()).mean() > 0.05:
        outcome.decided += 1
        allowed = np.full_like(spread, TOLERANCE * spread.max())
    # The last bit of the program's own numbers, and single precision's underflow; learning rates are in double precision.
    allowed = allowed + np.where(spread > 0, np.abs(exact) * 2.0**-24 + 2.0**-126, np.abs(exact) * 2.0**-48 * (found.dtype == np.float64))
    outcome.allowed.append(float(np.median(allowed) / max(np.abs(exact).max(), 1e-300)))
    error = np.abs(found.astype(np.float64) - exact.astype(np.float32 if found.dtype == np.float32 else np.float64))
    share = np.where(error == 0, 0.0, error / np.where(allowed > 0, allowed, 1e-300))
    share = np.where(np.isfinite(share), share, np.inf)
    at = np.unravel_index(share.argmax(), share.shape) if share.shape else ()
    if share[at] <= 1:
        if share[at] > outcome.worst:
            outcome.worst, outcome.where = float(share[at]), name
        return None
    wrong = int((~(share <= 1)).sum())
    return (f"{name}{list(map(int, at))}: {found[at]:.9g}, expected {exact[at]:.9g} within {allowed[at]:.2g} "
            f"({wrong} of {share.size} elements differ; the largest is {np.abs(exact).max():.3g})")


def tensors_of(path):
    return load_file(path)


def parameters_of(path):
    return {name: values for name, values in tensors_of(path).items() if not name.startswith(("optimizer/", "familiarity/"))}


def rewrite(path, change):
    """Replaces parameters of a checkpoint, and its checksum with them."""
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    for name, values in change(parameters_of(path)).items():
        first, end = header[name]["data_offsets"]
        data[8 + length + first:8 + length + end] = values.tobytes()
    at = data.index(b'"checksum":"') + 12
    data[at:at + 64] = b"0" * 64
    data[at:at + 64] = hashlib.sha256(data).hexdigest().encode()
    path.write_bytes(data)


def scores_of(documents, case):
    """(clips, classes), in the order of the clips."""
    found = np.full((len(documents), case.classes), np.nan)
    for row, document in zip(found, documents, strict=True):
        for entry in document["predictions"]:
            row[int(entry["label"].removeprefix("c"))] = entry["score"]
    return found
