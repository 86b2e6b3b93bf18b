"""Compares every number of a report with scikit-learn's, computed from the predictions.csv beside it.

    PYTHONPATH=Scripts python3 -m maintain.report runs/train [runs/train/eval ...]

A number in report.html looks like <data data-name="accuracy" value="0.9583">95.8 %</data>, or in a plot like
<text data-name="confusion.0.1">3</text>; each must have a counterpart in `report_numbers`, equal to 1e-9 (to half of its last
digit where it is only text), and its text must be its value rounded. An unknown name is an error, too.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

from . import environment


class Numbers(HTMLParser):
    """All (name, exact value or None, text) of a page."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open = [], None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if "data-name" in attributes:
            self.open = [attributes["data-name"], attributes.get("value"), ""]

    def handle_data(self, data):
        if self.open:
            self.open[2] += data

    def handle_endtag(self, tag):
        if self.open and tag in ("data", "text"):
            self.found.append(tuple(self.open))
            self.open = None


def check(page, pictures, table):
    from .report_numbers import Expected

    expected = Expected(table)
    numbers = Numbers(page.read_text(encoding="utf-8")).found
    for picture in pictures:
        numbers += Numbers(picture.read_text(encoding="utf-8")).found
    complaints = []
    for name, exact, text in numbers:
        value = expected[name]
        if value is None:
            complaints.append(f"{name}: no such number is expected")
            continue
        value = float(value)
        # The loss of scores in single precision: a sum over the classes is 1 but for 1e-7.
        tolerance = 1e-6 * max(1, abs(value)) if name.startswith("loss") else 1e-9
        if exact is not None and not abs(float(exact) - value) <= tolerance:
            complaints.append(f"{name}: {exact} in the report, {value} by scikit-learn")
        shown = text.replace("\xa0", " ").replace(",", "").strip()
        number = re.fullmatch(r"(-?\d+(?:\.(\d+))?)( %)?", shown)
        if not number:
            complaints.append(f"{name}: the text {text!r} is not a number")
            continue
        # Percentages stand with their sign, or without it before "to": then the text is 100 times the value or the value itself.
        last = 0.5 * 10.0 ** -len(number[2] or "") + 100 * tolerance
        wholes = [100 * value] if number[3] else [value, 100 * value]
        if not any(abs(float(number[1]) - whole) <= last for whole in wholes):
            complaints.append(f"{name}: the text {text!r} is not {value} rounded")
    required = {"accuracy", "accuracy.low", "accuracy.high", "balanced_accuracy", "macro.f1", "loss", "expected_calibration_error"}
    complaints += [f"{name}: missing" for name in sorted(required - {name for name, _, _ in numbers})]
    return len(numbers), complaints


def main():
    parser = environment.parser(__doc__)
    parser.add_argument("folders", nargs="+")
    folders = parser.parse_args().folders
    environment.enter("numpy", "pandas", "scikit-learn")
    failed = False
    for folder in map(Path, folders):
        count, complaints = check(folder / "report.html", sorted(folder.glob("confusion_matrix.svg")), folder / "predictions.csv")
        print(f"{folder}: {count} numbers, " + (f"{len(complaints)} wrong" if complaints else "all as scikit-learn has them"))
        print("".join(f"  {line}\n" for line in complaints[:50]), end="")
        failed |= bool(complaints)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
