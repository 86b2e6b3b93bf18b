"""Writes Tests/VidReportTests/Goldens/metrics.csv: what scikit-learn and numpy make of small tables of scores.

    python3 Scripts/make_report_goldens.py

Needs numpy, pandas and scikit-learn, and check_report.py beside it, whose formulas it takes. Each table is a predictions.csv
(predictions-N.csv) and the figures are lines `table,name,value`.
"""

import csv
import sys
from pathlib import Path

import numpy

sys.path.insert(0, str(Path(__file__).parent))
from check_report import Expected  # noqa: E402

FOLDER = Path(__file__).parent.parent / "Tests/VidReportTests/Goldens"
# (classes, clips, how strongly the truth shows): usual, few classes, all right, a class that never occurs.
TABLES = [(7, 40, 1.5), (2, 9, 0.5), (3, 12, 30.0), (12, 30, 1.0)]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    random = numpy.random.default_rng(5)
    lines = []
    for number, (classes, clips, strength) in enumerate(TABLES):
        truth = random.integers(0, classes - (number == 3), clips)
        logits = random.normal(size=(clips, classes)) + strength * numpy.eye(classes)[truth]
        scores = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
        scores = scores.astype(numpy.float32)
        path = FOLDER / f"predictions-{number}.csv"
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["clip", "label", "prediction", "confidence"] + [f"score/c{c}" for c in range(classes)])
            for place, row in enumerate(scores):
                best = int(row.argmax())
                writer.writerow([f"{place}.mp4", f"c{truth[place]}", f"c{best}", str(row[best])] + [str(value) for value in row])
        for name, value in Expected(path).values.items():
            if not name.startswith("confusion"):
                lines.append((number, name, repr(float(value))))
    with open(FOLDER / "metrics.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["table", "name", "value"])
        writer.writerows(lines)


if __name__ == "__main__":
    main()
