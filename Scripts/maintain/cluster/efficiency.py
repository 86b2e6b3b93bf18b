"""Two ranks of one thread against one rank of two threads, in turns."""

import argparse
import os
import pathlib

from . import speed, trial

WANTED = {"encoding": 0.95, "fine-tuning step": 0.9, "training step": 0.9}
# A fine-tuning step takes a third of a training step. In clips of as few frames, what each rank does by itself would weigh too much.
TUNING = 4


def check(options, work: pathlib.Path) -> list[str]:
    """Prints a table; returns what is below the wanted ratio."""
    os.environ["VIDCLASS_MPI_PLUGIN"] = str(trial.plugin())
    longer = argparse.Namespace(**vars(options) | {"frames": TUNING * options.frames})
    trainings = {
        "encoding": (speed.vgg16(options, options.vidclass, work, "encoding", 6 * options.batch, False, 1), speed.encoding),
        "fine-tuning step": (speed.vgg16(longer, options.vidclass, work, "tuning", 2 * options.batch, "block5_conv1", 4), speed.steps),
        "training step": (speed.vgg16(options, options.vidclass, work, "training", options.batch, True, 3), speed.steps),
    }
    rounds = {name: [] for name in trainings}
    for number in range(options.rounds):
        for name, (training, measure) in trainings.items():
            turns = [(1, 2), (2, 1)]
            found = {ranks: speed.told(name, f"{ranks} ranks", measure(speed.events(training, f"{number}-{ranks}", speed.local(ranks), threads)))
                     for ranks, threads in (turns if number % 2 == 0 else reversed(turns))}
            rounds[name].append((found[1], found[2]))
    print(f"VGG16, clips of {options.frames} frames of {options.size} x {options.size}, {options.batch} clips a step; clips a second")
    print(f"fine-tuning of block5 with clips of {longer.frames} frames\n")
    return speed.ratios(["", "1 rank x 2 threads", "2 ranks x 1 thread"], rounds, WANTED)
