"""Goldens of a report: the metrics of small tables of scores, by scikit-learn and numpy.

Each table is a predictions.csv (predictions-N.csv), and the metrics are lines `table,name,value` of metrics.csv.
"""

import csv

import numpy
from maintain.report_numbers import Expected

# (classes, clips, how strongly the truth shows): usual, few classes, all right, a class that never occurs.
TABLES = [(7, 40, 1.5), (2, 9, 0.5), (3, 12, 30.0), (12, 30, 1.0)]


def write(folder):
    random = numpy.random.default_rng(5)
    lines = []
    for number, (classes, clips, strength) in enumerate(TABLES):
        truth = random.integers(0, classes - (number == 3), clips)
        logits = random.normal(size=(clips, classes)) + strength * numpy.eye(classes)[truth]
        scores = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
        scores = scores.astype(numpy.float32)
        path = folder / f"predictions-{number}.csv"
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["clip", "label", "prediction", "confidence"] + [f"score/c{c}" for c in range(classes)])
            for place, row in enumerate(scores):
                best = int(row.argmax())
                writer.writerow([f"{place}.mp4", f"c{truth[place]}", f"c{best}", str(row[best])] + [str(value) for value in row])
        for name, value in Expected(path).values.items():
            if not name.startswith("confusion"):
                lines.append((number, name, repr(float(value))))
    with open(folder / "metrics.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["table", "name", "value"])
        writer.writerows(lines)
