"""Trains random configurations with vidclass and with PyTorch in double precision, and compares every number.

    PYTHONPATH=Scripts python3 -m maintain.check_random [--minutes M | --count N] [--seed S]

Each case is a configuration and its clips, drawn from a seed. vidclass draws the initial weights and stops before the first
step; most of its weights are then replaced, so that biases are not zero. It trains one or two epochs. Compared are every tensor
of last.safetensors, the optimizer's moments included, the columns of results.csv, and the scores that predict gives each clip.

An element may be as far from double precision as TOLERANCE times the spread that rounding explains (see rounding.py), and not at
all where arithmetic is exact. Where REPETITIONS of the training do not explain a difference, PATIENCE more are tried: a ReLU or a
gradient that rounding decides shows in few of them; a fault shows in none.
"""

import copy
import json
import os
import pathlib
import sys
import tempfile
import time

from maintain import environment

TOLERANCE = 4
REPETITIONS = 3
PATIENCE = 13


def main() -> None:
    parser = environment.parser(__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="go on for this long")
    length.add_argument("--count", type=int, default=20, help="the number of cases (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first case; the next ones count up (default: 1)")
    parser.add_argument("--verbose", action="store_true", help="print every case's largest difference")
    environment.add_program(parser)
    arguments = parser.parse_args()
    environment.enter("torch", "safetensors", "numpy")

    import torch

    torch.set_num_threads(1)
    # A network that saturates has numbers so small that they cost only time.
    torch.set_flush_denormal(True)
    start, seed, failures, tensors, worst = time.monotonic(), arguments.seed, [], 0, 0.0
    while time.monotonic() - start < arguments.minutes * 60 if arguments.minutes else seed < arguments.seed + arguments.count:
        outcome = Comparison()
        try:
            check(seed, arguments.vidclass, outcome)
        except Exception as error:
            outcome.complaints.append(f"{type(error).__name__}: {error}")
        tensors, worst = tensors + outcome.count, max(worst, outcome.worst)
        if arguments.verbose:
            print(f"seed {seed}: {outcome.count} tensors, largest difference {outcome.worst:.2f} of the allowed ({outcome.where}), "
                  f"{outcome.repetitions} repetitions", flush=True)
        if outcome.complaints:
            failures.append(seed)
            print(f"FAILED  python3 -m maintain.check_random --seed {seed} --count 1\n  {json.dumps(outcome.config)}")
            print("".join(f"  {line}\n" for line in outcome.complaints[:20]), end="", flush=True)
        seed += 1
    cases = seed - arguments.seed
    print(f"{cases} cases from seed {arguments.seed} in {time.monotonic() - start:.0f} s: {tensors} tensors, "
          f"{cases - len(failures)} cases agree, {len(failures)} do not{f' (seeds {failures})' if failures else ''}; "
          f"largest difference {worst:.2f} of the allowed")
    sys.exit(1 if failures or not cases else 0)


class Comparison:
    """What one case showed."""

    def __init__(self):
        self.config, self.complaints, self.count, self.worst, self.where, self.repetitions = {}, [], 0, 0.0, "", 0


def check(seed, program, outcome):
    from maintain import process

    from . import cases

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
        compare(case, run, initial, tensors_of(state), scores_of(json.loads(predicted.output), case), parameters_of(best), outcome)


def compare(case, run, initial, tensors, scores, best, outcome):
    import csv

    import numpy as np
    import torch

    from .reference import Reference
    from .rounding import Rounding

    reference = Reference(case, run)
    winograd = case.config["model"]["cnn"]["convolution"] != "im2col"
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
    outcome.count = len(exact)
    spread = {name: np.zeros_like(values) for name, values in exact.items()}
    for repetition in range(REPETITIONS + PATIENCE):
        repeated = numbers(Rounding(repetition, winograd))
        spread = {name: np.fmax(values, np.abs(repeated[name] - exact[name])) for name, values in spread.items()}
        outcome.repetitions = repetition + 1
        if repetition + 1 >= REPETITIONS:
            outcome.complaints = [each for name in exact if (each := difference(name, found[name], exact[name], spread[name], outcome))]
            if not outcome.complaints:
                break


def difference(name, found, exact, spread, outcome):
    """None where the tensor agrees, or what differs most."""
    import numpy as np

    if found.shape != exact.shape:
        return f"{name}: the shape {found.shape}, expected {exact.shape}"
    # Three repetitions may happen to be close in an element; then the tensor's median counts.
    typical = np.median(spread[spread > 0]) if (spread > 0).any() else 0.0
    allowed = np.where(spread > 0, TOLERANCE * np.fmax(spread, typical), 0.0)
    # The last bit of the program's own numbers; sums of losses and learning rates are in double precision.
    allowed = allowed + np.abs(exact) * np.where(spread > 0, 2.0**-24, 2.0**-48 * (found.dtype == np.float64))
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
    from safetensors.numpy import load_file

    return load_file(path)


def parameters_of(path):
    return {name: values for name, values in tensors_of(path).items() if not name.startswith("optimizer/")}


def rewrite(path, change):
    """Replaces parameters of a checkpoint, and its checksum with them."""
    import hashlib

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
    import numpy as np

    found = np.full((len(documents), case.classes), np.nan)
    for row, document in zip(found, documents, strict=True):
        for entry in document["predictions"]:
            row[int(entry["label"].removeprefix("c"))] = entry["score"]
    return found


if __name__ == "__main__":
    main()
