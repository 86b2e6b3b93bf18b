"""The report: Markdown on standard output and a JSON document."""

import dataclasses
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from .clips import Split
from .contestants import PEERS, Outcome
from .significance import difference_probability

# Five seeds and five give 2 / 252 = 0.008 at least, where all of one program are above all of the other.
LEVEL = 0.01


@dataclass
class Result:
    """Of one task."""

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
    figures = ACCURACIES | LOSSES
    head = [f"{result.task}, {len(result.vidclass)} seeds"] + [cell for name in figures for cell in (name, "p")]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    lines.append(["vidclass"] + [cell for figure in figures.values() for cell in (spread(result.vidclass, figure), "")])
    for name, outcomes in result.peers.items():
        cells = [(spread(outcomes, figure), f"{probability(result, name, figure):.3f}") for figure in figures.values()]
        lines.append([PEERS[name].title] + [cell for pair in cells for cell in pair])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    seeds = [f"  {title}: " + " ".join(f"{outcome.last.accuracy:.3f}" for outcome in outcomes)
             for title, outcomes in [("vidclass", result.vidclass), *[(PEERS[name].title, found) for name, found in result.peers.items()]]]
    return text + "\n\nTest accuracy of each seed, last epoch:\n" + "\n".join(seeds)


def progress(outcomes: list[Outcome]) -> str:
    """What a line of progress says of a program that has ended."""
    return ", ".join(f"{name} {spread(outcomes, figure)}" for name, figure in ACCURACIES.items())


def spread(outcomes: list[Outcome], figure: Callable[[Outcome], float]) -> str:
    values = [figure(outcome) for outcome in outcomes]
    return f"{statistics.fmean(values):.3f} ± {statistics.stdev(values):.3f}"


def probability(result: Result, peer: str, figure: Callable[[Outcome], float]) -> float:
    return difference_probability([figure(outcome) for outcome in result.vidclass], [figure(outcome) for outcome in result.peers[peer]])


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
