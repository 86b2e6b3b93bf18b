"""Goldens of `vidclass compare`: p-values by scipy and statsmodels."""

import json

import numpy
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

# Clips that only the first, and only the second, got right: none, few, even, lopsided, many.
COUNTS = [
    (0, 0), (0, 1), (1, 0), (1, 1), (3, 5), (5, 3), (0, 5), (0, 6), (7, 7), (2, 13), (10, 25), (40, 60), (0, 200), (512, 488),
    (4000, 4300), (100, 1000), (50000, 50500),
]


def values():
    pairs = []
    for first, second in COUNTS:
        exact = mcnemar([[10, first], [second, 10]], exact=True).pvalue if first + second else 1.0
        if first + second:
            assert abs(exact - binomtest(first, first + second, 0.5).pvalue) <= 1e-9 * exact + 1e-300
        pairs.append({"only_first": first, "only_second": second, "p": min(1.0, float(exact))})
    generator = numpy.random.default_rng(5)
    families = [[0.01, 0.04, 0.03], [0.2], [0.05, 0.05, 0.05, 0.05], [1.0, 1.0, 0.4]]
    families += [list(map(float, generator.random(size) ** 3)) for size in (2, 6, 15)]
    holm = [{"p": family, "adjusted": list(map(float, multipletests(family, method="holm")[1]))} for family in families]
    return {"mcnemar": pairs, "holm": holm}


def write(folder):
    (folder / "comparison.json").write_text(json.dumps(values(), indent=1) + "\n")
