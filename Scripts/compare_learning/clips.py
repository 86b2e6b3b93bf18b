"""The data that all train on: small frames, packed once, and one split."""

import csv
import pathlib
import random
import sys
from dataclasses import dataclass

PARTS = ["train", "val", "test"]


@dataclass(frozen=True)
class Split:
    csv: pathlib.Path
    classes: int
    counts: dict[str, int]


def write_split(folder: pathlib.Path, training: int, validation: int, seed: int) -> Split:
    """Writes folder/split.csv: of each class so many clips of training and validation at random, the rest for the test.

    The class of a clip is the name of the folder that it is in.
    """
    by_class: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.bin")):
        by_class.setdefault(path.parent.name, []).append(str(path.relative_to(folder)))
    draw = random.Random(seed)
    rows = []
    for label, paths in sorted(by_class.items()):
        if len(paths) <= training + validation:
            sys.exit(f"error: {folder}: {label} has {len(paths)} clips, expected more than {training} + {validation}; "
                     "give less to --training or --validation")
        draw.shuffle(paths)
        names = ["train"] * training + ["val"] * validation + ["test"] * (len(paths) - training - validation)
        rows += [(path, label, name) for path, name in zip(paths, names)]
    if len(by_class) < 2:
        sys.exit(f"error: {folder} has clips of {len(by_class)} classes, expected 2 at least: a folder each")
    target = folder / "split.csv"
    with open(target, "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "split"), *sorted(rows)])
    return Split(target, len(by_class), {name: sum(row[2] == name for row in rows) for name in PARTS})
