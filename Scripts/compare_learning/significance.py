"""Whether two groups of figures differ by more than chance."""

import itertools
import math
import random
import statistics

EXACT = 200_000
DRAWN = 50_000


def difference_probability(one: list[float], other: list[float]) -> float:
    """The share of all ways to divide the figures into two such groups whose means differ at least as much as these do.

    A permutation test, two-sided, exact while there are at most EXACT ways, otherwise of DRAWN ways at random. It supposes no
    distribution; accuracies of few clips have steps and none that has a name. Five and five figures cannot get below 2 / 252.
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
