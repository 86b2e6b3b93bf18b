"""The report: Markdown on standard output and a JSON document; and whether differences are more than chance."""

import dataclasses
import itertools
import json
import math
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from .contestants import PEERS, Outcome, Split

# Five seeds and five give 2 / 252 = 0.008 at least, where all of one program are above all of the other.
LEVEL = 0.01
EXACT = 200_000
DRAWN = 50_000


@dataclass
class Result:
    """The outcomes of one task."""

    task: str
    vidclass: list[Outcome]
    peers: dict[str, list[Outcome]]


ACCURACIES: dict[str, Callable[[Outcome], float]] = {
    "test accuracy, last epoch": lambda outcome: outcome.last.accuracy,
    "best epoch": lambda outcome: outcome.best.accuracy,
}
LOSSES: dict[str, Callable[[Outcome], float]] = {
    "test loss, last epoch": lambda outcome: outcome.last.loss,
    "training loss, mean of epochs": lambda outcome: statistics.fmean(outcome.training_losses),
}


def table(result: Result) -> str:
    """A line for each program: mean ± standard deviation over the seeds, and p of the difference from vidclass."""
    metrics = ACCURACIES | LOSSES
    head = [f"{result.task}, {len(result.vidclass)} seeds"] + [cell for name in metrics for cell in (name, "p")]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    lines.append(["vidclass"] + [cell for metric in metrics.values() for cell in (spread(result.vidclass, metric), "")])
    for name, outcomes in result.peers.items():
        cells = [(spread(outcomes, metric), f"{probability(result, name, metric):.3f}") for metric in metrics.values()]
        lines.append([PEERS[name].title] + [cell for pair in cells for cell in pair])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    seeds = [f"  {title}: " + " ".join(f"{outcome.last.accuracy:.3f}" for outcome in outcomes)
             for title, outcomes in [("vidclass", result.vidclass), *[(PEERS[name].title, found) for name, found in result.peers.items()]]]
    return text + "\n\nTest accuracy of each seed, last epoch:\n" + "\n".join(seeds)


def progress(outcomes: list[Outcome]) -> str:
    """The line of progress of a program that has ended."""
    return ", ".join(f"{name} {spread(outcomes, metric)}" for name, metric in ACCURACIES.items())


def spread(outcomes: list[Outcome], metric: Callable[[Outcome], float]) -> str:
    values = [metric(outcome) for outcome in outcomes]
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


def probability(result: Result, peer: str, metric: Callable[[Outcome], float]) -> float:
    return difference_probability([metric(outcome) for outcome in result.vidclass], [metric(outcome) for outcome in result.peers[peer]])


def differences(results: list[Result]) -> list[str]:
    """Where accuracy differs from that of a peer of the same optimiser so much that chance does it once in 1 / LEVEL times."""
    comparisons = [(result, peer, name) for result in results for peer in result.peers if PEERS[peer].is_same for name in ACCURACIES]
    return [f"{result.task}, {PEERS[peer].title}, {name}" for result, peer, name in comparisons
            if probability(result, peer, ACCURACIES[name]) < LEVEL]


def document(versions: dict[str, str | None], split: Split, results: list[Result]) -> str:
    return json.dumps({
        "versions": versions, "clips": split.counts, "classes": split.classes,
        "tasks": {result.task: {name: [dataclasses.asdict(outcome) for outcome in outcomes]
                                for name, outcomes in [("vidclass", result.vidclass), *result.peers.items()]} for result in results}}, indent=2)


def difference_probability(one: list[float], other: list[float]) -> float:
    """The share of all ways to divide the numbers into two such groups whose means differ at least as much as these do.

    A permutation test, two-sided, exact while there are at most EXACT ways, otherwise of DRAWN ways at random. It assumes no
    distribution; the accuracies of few clips come in steps. Five and five numbers cannot get below 2 / 252.
    """
    pooled, size = one + other, len(one)
    total, observed = sum(pooled), abs(statistics.fmean(one) - statistics.fmean(other))

    def is_as_far(chosen) -> bool:
        part = sum(chosen)
        return abs(part / size - (total - part) / (len(pooled) - size)) >= observed - 1e-12

    if math.comb(len(pooled), size) <= EXACT:
        found = [is_as_far(chosen) for chosen in itertools.combinations(pooled, size)]
        return sum(found) / len(found)
    draw = random.Random(1)
    # The observed way counts as one of those drawn: the probability is never 0.
    return (1 + sum(is_as_far(draw.sample(pooled, size)) for _ in range(DRAWN))) / (1 + DRAWN)
