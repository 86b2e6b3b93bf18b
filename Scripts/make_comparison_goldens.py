#!/usr/bin/env python3
"""Makes the p-values that the tests of `vidclass compare` compare with, by scipy and statsmodels. Run by hand:

    python3 Scripts/make_comparison_goldens.py            writes Tests/VidReportTests/Goldens/comparison.json
    python3 Scripts/make_comparison_goldens.py --check    makes them anew and compares with the committed file

It needs scipy 1.10 or newer and statsmodels 0.14 or newer.
"""

import argparse
import json
import pathlib
import sys

import numpy
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

PATH = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "VidReportTests" / "Goldens" / "comparison.json"

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


def main():
    parser = argparse.ArgumentParser(description="Makes the goldens of vidclass compare.")
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    arguments = parser.parse_args()
    made = values()
    if not arguments.check:
        PATH.write_text(json.dumps(made, indent=1) + "\n")
        return
    old = json.loads(PATH.read_text())
    new = json.loads(json.dumps(made))
    for key, entries in new.items():
        for entry, former in zip(entries, old[key], strict=True):
            for name in entry:
                if not numpy.allclose(entry[name], former[name], rtol=1e-9, atol=0):
                    sys.exit(f"{PATH}: {key} {entry} is not the committed {former}")
    print(f"{PATH} holds what was made")


if __name__ == "__main__":
    main()
