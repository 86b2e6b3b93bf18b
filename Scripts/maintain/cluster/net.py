"""Trainings over TCP between hosts in network namespaces: the same bytes at any number, faults, and the bytes sent."""

import os
import pathlib
import random
import signal
import time

from maintain.torture.bench import files

from . import trial
from .network import Network
from .trial import Failed, Trial

RATE, DELAY = 1e9, 200e-6
# Of two trainings whose difference is counted, so that their start does not matter.
EPOCHS = (1, 5)
# What happens to the training, on host 2.
FAULTS = {
    "link down": lambda network, pids: network.set_link(2, False),
    "SIGSTOP": lambda network, pids: os.kill(pids[0], signal.SIGSTOP),
    "SIGKILL": lambda network, pids: os.kill(pids[0], signal.SIGKILL),
}


def check(options, work: pathlib.Path) -> list[str]:
    """Prints the tables; returns what is wrong."""
    trial.need_root("net")
    os.environ["VIDCLASS_MPI_PLUGIN"] = str(trial.plugin())
    training = Trial(options.vidclass, work)
    with Network(4, RATE, DELAY, work) as network:
        print(f"hosts: network namespaces, TCP at {RATE / 1e9:g} Gbit/s, "
              + (f"{1e6 * DELAY:.0f} us from one to another" if network.has_delay else "no delay (this kernel has no netem)") + "\n", flush=True)
        expected, wrong = same_bytes(network, training)
        wrong += faults(network, training, expected)
        return wrong + sent(network, training)


def same_bytes(network: Network, training: Trial) -> tuple[dict, list[str]]:
    """Trains on 1 to 4 hosts; returns the files of the training on one."""
    rows, wrong, expected = [], [], {}
    for ranks in network.numbers:
        folder = training.folder(f"ranks{ranks}")
        seconds = trial.whole(network.mpirun(ranks, training.words(folder)), folder)
        expected = expected or files(folder)
        rows.append([ranks, f"{seconds:.1f}", trial.compare(expected, folder)])
        wrong += [] if rows[-1][-1] == "same bytes" else [f"{ranks} ranks: {rows[-1][-1]}"]
    trial.table(["ranks", "seconds", "weights and results.csv"], rows)
    return expected, wrong


def faults(network: Network, training: Trial, expected: dict) -> list[str]:
    """Breaks trainings on three hosts in mid-epoch, and resumes them."""
    rows, wrong = [], []
    for name, fault in FAULTS.items():
        folder = training.folder(name.replace(" ", "-"))
        running = trial.start(network.mpirun(3, training.words(folder)), folder)
        trial.wait_for_epochs(running, folder, 3)
        time.sleep(random.random() / 5)
        pids = network.processes(2, training.vidclass)
        if not pids:
            raise Failed(f"{name}: there is no rank on host 2")
        begun = time.monotonic()
        fault(network, pids)
        try:
            ended = trial.wait(running, folder, 4 * trial.BOUND)
            left = still_there(network, training, begun + 2 * trial.BOUND)
        finally:
            network.set_link(2, True)
        seconds = time.monotonic() - begun
        trial.whole(network.mpirun(3, training.words(folder)), folder)
        resumed = trial.compare(expected, folder)
        rows.append([name, f"{ended.seconds:.1f}", f"{seconds:.1f}", ended.status, resumed, "; ".join(ended.messages)])
        if seconds > trial.BOUND or ended.status == 0 or left or resumed != "same bytes" or len(ended.messages) != 1:
            wrong.append(f"{name}: {rows[-1]}, left {left}; {ended.errors[-1500:]}")
    trial.table(["fault on host 2 of 3", "mpirun ends after s", "all ranks after s", "status", "resumed", "message"], rows)
    return wrong


def still_there(network: Network, training: Trial, end: float) -> list[int]:
    """Waits until no rank is left on any host; returns those that stay."""
    while True:
        left = [pid for number in network.numbers for pid in network.processes(number, training.vidclass)]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def sent(network: Network, training: Trial) -> list[str]:
    """The bytes that each rank sends in a step, by the interfaces' counters, from trainings of different lengths."""
    rows, wrong = [], []
    parameters = None
    for ranks in range(2, network.count + 1):
        counts = []
        for epochs in EPOCHS:
            folder = training.folder(f"sent{ranks}-{epochs}", epochs=epochs)
            before = [network.sent_bytes(number) for number in network.numbers]
            trial.whole(network.mpirun(ranks, training.words(folder)), folder)
            counts.append([network.sent_bytes(number) - start for number, start in zip(network.numbers, before)])
            parameters = parameters or trial.parameters(folder / "runs/train/weights/best.safetensors")
        steps = (EPOCHS[1] - EPOCHS[0]) * -(-trial.CLIPS * 3 // 4 // training.config["training"]["batch_size"])
        each = [(long - short) / steps for short, long in zip(*counts)][:ranks]
        bound = 2 * parameters * 4 * (ranks - 1) / ranks
        rows.append([ranks, f"{bound / 1e6:.2f}", f"{sum(each) / ranks / 1e6:.2f}", f"{max(each) / 1e6:.2f}", f"{max(each) / bound:.2f}"])
    print(f"{parameters} trainable parameters")
    trial.table(["ranks", "bound MB", "mean MB sent a step", "most of a rank", "most / bound"], rows)
    return wrong
