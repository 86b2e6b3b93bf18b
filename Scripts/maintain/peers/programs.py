"""The options of the peers' programs, how they repeat and what they print. Each module of programs runs one by its name:

    python3 -m maintain.peers.keras_programs encode --frames 16
"""

import argparse
import json
import pathlib
import statistics
import time
from collections.abc import Callable

# As `vidclass bench` does: about two seconds, three repetitions at least.
SECONDS = 2.0
REPETITIONS = 3
# The first call traces or compiles, and the second may still tune itself.
WARMUPS = 2
# Of a frame, from VGG16.
FEATURES = 512


def start(programs: dict[str, Callable[[argparse.Namespace], None]]) -> None:
    """Runs the program that the command line names. All take the same options; each uses what it needs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=programs)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--mode", choices=["channels-last", "default", "compile"], default="default")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--validation-split", type=float, default=0.2)
    # Of the exported network, without the endings of its files.
    parser.add_argument("--encoder", type=pathlib.Path)
    for name in ["weights", "data", "model", "clip"]:
        parser.add_argument(f"--{name}", type=pathlib.Path)
    options = parser.parse_args()
    programs[options.program](options)


def classic(options: argparse.Namespace) -> dict:
    """The classifier with VGG16, as a configuration's `model` section."""
    return {"input": {"frames": options.frames, "channels": 3, "rows": options.size, "columns": options.size},
            "cnn": {"architecture": "vgg16", "pooling": "average"},
            "recurrent": [{"type": "lstm", "units": 256, "recurrent_activation": "hard_sigmoid"}],
            "hidden": [{"type": "dense", "units": 1024, "activation": "relu"}]}


def measure(step: Callable[[], object]) -> None:
    """Repeats `step` and prints the seconds that it took."""
    for _ in range(WARMUPS):
        step()
    times: list[float] = []
    start = time.perf_counter()
    while len(times) < REPETITIONS or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    answer({"median": statistics.median(times), "fastest": min(times), "repetitions": len(times)})


def answer(document: dict) -> None:
    """Prints the document that the benchmark reads: the last line of output."""
    print(json.dumps(document), flush=True)
