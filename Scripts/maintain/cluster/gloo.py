"""The training step of VGG16 on two ranks against PyTorch's DistributedDataParallel with Gloo, in turns."""

import json
import os
import pathlib
import socket
import subprocess
import sys

from maintain import environment

from . import speed, trial
from .trial import Failed

WANTED = {"VGG16 step": 2.0}


def check(options, work: pathlib.Path) -> list[str]:
    """Prints a table; returns what is below the wanted ratio."""
    os.environ["VIDCLASS_MPI_PLUGIN"] = str(trial.plugin())
    training = speed.vgg16(options, options.vidclass, work, "gloo", 2 * options.batch, True, 3)
    rounds = []
    for number in range(options.rounds):
        turns = {"torch": lambda: torch_speed(options), "vidclass": lambda: speed.steps(speed.events(training, str(number), speed.local(2), 1))}
        found = {name: speed.told("VGG16 step", name, turns[name]()) for name in (turns if number % 2 == 0 else reversed(turns))}
        rounds.append((found["torch"], found["vidclass"]))
    print(f"VGG16 trainable, clips of {options.frames} frames of {options.size} x {options.size}, {options.batch} clips a step, "
          "2 ranks x 1 thread; clips a second\n")
    return speed.ratios(["", "PyTorch, Gloo", "vidclass"], {"VGG16 step": rounds}, WANTED)


def torch_speed(options) -> float:
    """Clips a second of PyTorch's step on two ranks."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "maintain.cluster.gloo_program", "--port", port, "--frames", options.frames, "--size", options.size,
               "--batch", options.batch]
    variables = os.environ | {"PYTHONPATH": str(environment.SCRIPTS), "OMP_NUM_THREADS": "1"}
    ranks = [subprocess.Popen(list(map(str, [*command, "--rank", rank])), env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) for rank in range(2)]
    try:
        outputs = [rank.communicate() for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    for rank, (_, errors) in zip(ranks, outputs):
        if rank.returncode != 0:
            raise Failed(f"PyTorch ended with {rank.returncode}: {errors[-2000:]}")
    return json.loads(outputs[0][0].splitlines()[-1])["clips_per_second"]
