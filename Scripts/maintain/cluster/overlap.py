"""How much of the sum over the ranks the backward pass hides at 1 Gbit/s, and what follows for many machines."""

import argparse
import math
import os
import pathlib
import statistics

from . import speed, trial
from .network import Network

RATE = 1e9
# A short step: a clip of two frames on each host. Longer ones hide no less.
SHORT = {"frames": 2, "batch": 2}
# Machines, Gbit/s and clips a machine of the tables on paper.
MACHINES, RATES, SHARES = (8, 64, 512), (1, 10, 25), (1, 8)
# What is not measured here: a message between hosts by TCP, the threads of a machine, and the frames of the clips in the tables.
LATENCY, THREADS, FRAMES = 50e-6, 16, 16
# A bucket of VidCluster's ShardSums, the features of VGG16 for a frame, and the clips that are encoded on paper.
BUCKET, FEATURES, CLIPS = 4 << 20, 512 * 4, 100_000
FORMULAS = f"""
step(n) = compute + sum(n) + buckets x 2 (n - 1) x latency, sum(n) = 2 x parameters x 4 bytes x (n - 1) / n / rate, none of it hidden
encoding(n) = max(ceil(clips / n) x seconds a clip, clips x bytes of a clip's features / rate): rank 0 receives all features
compute and seconds a clip: measured on one thread, divided by {THREADS} threads a machine; latency: {1e6 * LATENCY:.0f} us, assumed"""


def check(options, work: pathlib.Path) -> list[str]:
    """Prints the tables; returns nothing, because nothing is promised of them."""
    trial.need_root("overlap")
    os.environ["VIDCLASS_MPI_PLUGIN"] = str(trial.plugin())
    short = argparse.Namespace(**vars(options) | SHORT)
    training = speed.vgg16(short, options.vidclass, work, "overlap", 4 * short.batch, True, 8)
    frozen = speed.vgg16(options, options.vidclass, work, "encoding", 4 * options.batch, False, 1)
    seconds = {None: [], RATE: []}
    with Network(2, RATE, 0, work) as network:
        for number in range(options.rounds):
            for rate in (seconds if number % 2 == 0 else reversed(seconds)):
                network.set_rate(rate)
                found = speed.steps(speed.events(training, f"{number}-{rate}", network.mpirun(2, []), 1))
                seconds[rate].append(short.batch / speed.told("VGG16 step", "no limit" if rate is None else f"{rate / 1e9:g} Gbit/s", found))
    parameters = trial.parameters(next(training.work.glob("*/runs/train/weights/best.safetensors")))
    free, limited, alone = statistics.median(seconds[None]), statistics.median(seconds[RATE]), sum_seconds(parameters, 2, RATE)
    print(f"VGG16 trainable, {parameters} parameters, 2 hosts of one thread, {short.frames} frames of {options.size} x {options.size} on each, "
          f"{options.rounds} rounds")
    trial.table(["", "seconds"], [["step, no limit", f"{free:.3f}"], [f"step, {RATE / 1e9:g} Gbit/s", f"{limited:.3f}"],
                                  ["sum alone, by its bytes", f"{alone:.3f}"], ["hidden", f"{1 - (limited - free) / alone:.2f}"]])
    encoding = speed.encoding(speed.events(frozen, "frozen", [], 1))
    on_paper(parameters, FRAMES / short.frames * free / THREADS, FRAMES / (encoding * options.frames) / THREADS)
    return []


def sum_seconds(parameters: int, machines: int, rate: float) -> float:
    """The time in which a machine sends its part of the gradients' sum, and gets the sum back."""
    return 2 * parameters * 4 * (machines - 1) / machines / (rate / 8)


def on_paper(parameters: int, step: float, encoding: float) -> None:
    """Prints which part of their speed many machines reach, from the seconds of a clip on one, in a step and in encoding."""
    rows = []
    for machines in MACHINES:
        for rate in RATES:
            cells = []
            for share in SHARES:
                messages = math.ceil(4 * parameters / BUCKET) * 2 * (machines - 1) * LATENCY
                cells.append(step * share / (step * share + sum_seconds(parameters, machines, rate * 1e9) + messages))
            received = CLIPS * FRAMES * FEATURES / (rate * 1e9 / 8)
            cells.append(CLIPS / machines * encoding / max(math.ceil(CLIPS / machines) * encoding, received))
            rows.append([machines, rate, *(f"{cell:.3f}" for cell in cells)])
    print(f"on paper: efficiency with clips of {FRAMES} frames; {step:.2f} s a clip in a step, {encoding:.2f} s a clip in encoding{FORMULAS}\n")
    trial.table(["machines", "Gbit/s", *(f"trainable, {share} a machine" for share in SHARES), f"frozen, {CLIPS} clips"], rows)
