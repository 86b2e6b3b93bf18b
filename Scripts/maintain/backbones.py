"""Compares frozen networks as the CNN of a classifier: test accuracy and training time on the same few clips.

    PYTHONPATH=Scripts python3 -m maintain.backbones DATA [DATA ...] --weights FILE [FILE ...] [--training N] [--set KEY=VALUE ...]

DATA is a folder with train/<class>/<clip> and test/<class>/<clip>, or a table with the columns path, label and split (train, val and
test). A weights file is any that `vidclass weights import` takes, such as Keras's VGG16 and EfficientNet-Lite0's state dict; it tells
the network and its preprocessing. For each seed, so many random training clips of each class are drawn (all by default), the same
for every network; the seed also draws the weights of the other layers and the order of the clips. The layers are those of
Configs/vgg16-lstm.json: an LSTM over the features of the frames, a dense layer, a softmax. There is no validation: the last epoch is
measured, on all test clips.

The time is the processor time of `vidclass train` from its start to its report, with an empty cache of features: mostly encoding and
explaining clips. Unlike the time on a clock, it hardly depends on what else the machine does.
"""

import argparse
import csv
import json
import os
import pathlib
import random
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, field

from . import environment, process


@dataclass
class Network:
    """Imported weights, and what was measured on one data set: a number for each seed."""

    name: str
    architecture: str
    preprocessing: str
    accuracies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def main() -> int:
    options = parse()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vidclass-backbones-"))
    try:
        return compare(options, folder)
    except process.Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compare(options: argparse.Namespace, folder: pathlib.Path) -> int:
    variables = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    for number, weights in enumerate(options.weights):
        process.run([options.vidclass, "weights", "import", weights, "--name", f"w{number}"], variables, folder)
    listed = json.loads(process.run([options.vidclass, "weights", "list", "--json"], variables, folder).text)
    found = {entry["name"]: entry for entry in listed}
    names = [f"w{number}" for number in range(len(options.weights))]
    print("| data | clips to learn from, to test | " + " | ".join(f"{found[name]['architecture']} | processor time" for name in names) + " |")
    print("|---|---:|" + "---:|---:|" * len(names), flush=True)
    for data in options.data:
        rows, classes = read(data)
        networks = [Network(name, found[name]["architecture"], found[name]["preprocessing"]) for name in names]
        for seed in range(1, options.seeds + 1):
            chosen = draw(rows, options.training, seed)
            with open(folder / "split.csv", "w", newline="") as file:
                csv.writer(file).writerows([("path", "label", "split"), *chosen])
            for network in networks:
                measure(network, seed, options, folder, variables)
            print(f"{data.name}, seed {seed}: " + ", ".join(
                f"{network.architecture} {network.accuracies[-1]:.3f} in {network.seconds[-1]:.1f} s" for network in networks),
                file=sys.stderr, flush=True)
        trained = sum(split == "train" for _, _, split in chosen)
        cells = [f"{statistics.fmean(network.accuracies):.3f} ({min(network.accuracies):.3f} to {max(network.accuracies):.3f}) | "
                 f"{statistics.fmean(network.seconds):.1f} s" for network in networks]
        print(f"| {data.stem}, {len(classes)} classes | {trained}, {len(chosen) - trained} | " + " | ".join(cells) + " |", flush=True)
    return 0


def read(data: pathlib.Path) -> tuple[list[tuple[str, str, str]], set[str]]:
    """(path, label, split) of all clips, and the labels; ends this program where there are no training or no test clips."""
    if data.is_dir():
        rows = [(str(path), path.relative_to(data).parts[1], split) for split in ("train", "test")
                for path in sorted(data.glob(f"{split}/*/**/*")) if path.is_file()]
    else:
        with open(data, newline="") as file:
            reader = csv.DictReader(file)
            if missing := {"path", "label", "split"} - set(reader.fieldnames or ()):
                sys.exit(f"error: {data}: expected the columns path, label and split; missing: {', '.join(sorted(missing))}")
            rows = [(str(data.parent / row["path"]), row["label"], row["split"]) for row in reader]
    rows = [row for row in rows if row[2] in ("train", "test")]
    labels = {split: {label for _, label, other in rows if other == split} for split in ("train", "test")}
    if len(labels["train"]) < 2 or not labels["test"]:
        sys.exit(f"error: {data}: expected training clips of two classes or more and test clips (train/<class>/<clip>, test/<class>/<clip>)")
    return rows, labels["train"]


def draw(rows: list[tuple[str, str, str]], training: int, seed: int) -> list[tuple[str, str, str]]:
    """So many random training clips of each class, or all of them for 0, and all test clips."""
    by_class: dict[str, list[tuple[str, str, str]]] = {}
    for row in rows:
        if row[2] == "train":
            by_class.setdefault(row[1], []).append(row)
    source = random.Random(seed)
    chosen = []
    for label, own in sorted(by_class.items()):
        if len(own) < training:
            sys.exit(f"error: {label} has {len(own)} training clips, expected {training} at least; give less to --training")
        chosen += source.sample(own, training or len(own))
    return sorted(chosen) + [row for row in rows if row[2] == "test"]


def measure(network: Network, seed: int, options: argparse.Namespace, folder: pathlib.Path, variables: dict[str, str]) -> None:
    """Trains on folder/split.csv with nothing cached, and evaluates."""
    process.run([options.vidclass, "cache", "clear"], variables, folder)
    cnn = {"architecture": network.architecture, "weights": network.name, "trainable": False}
    settings = [f"seed={seed}", f"model.cnn={json.dumps(cnn)}", f"model.input.frames={options.frames}", f"model.input.rows={options.size}",
                f"model.input.columns={options.size}", f"data.path={folder / 'split.csv'}", f"data.preprocessing={network.preprocessing}",
                # Cuts of one recording may overlap; those of the test are from elsewhere.
                "data.validation_split=0", "data.leak_check=off", f"output.directory={folder / 'runs'}", "output.name=run",
                "output.exist_ok=true", "output.tensorboard=false", *options.set]
    ended = process.run([options.vidclass, "train", "--config", environment.REPOSITORY / "Configs/vgg16-lstm.json", "--quiet",
                         *[word for setting in settings for word in ("--set", setting)]], variables, folder)
    network.seconds.append(ended.processor_seconds)
    # The features of test clips are the same for every seed, so they have a cache of their own.
    document = process.run([options.vidclass, "eval", "--checkpoint", folder / "runs/run/weights/last.safetensors", "--split", "test", "--json"],
                           variables | {"XDG_CACHE_HOME": str(folder / "test-cache")}, folder)
    network.accuracies.append(json.loads(document.text)["categorical_accuracy"])


def parse() -> argparse.Namespace:
    parser = environment.parser(__doc__)
    parser.add_argument("data", type=pathlib.Path, nargs="+", metavar="DATA", help="a folder with train and test, or a table path,label,split")
    parser.add_argument("--weights", type=pathlib.Path, nargs="+", required=True, metavar="FILE", help="weights of the networks to compare")
    parser.add_argument("--training", type=int, default=0, metavar="N", help="clips of each class to learn from (default: all)")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each network (default: %(default)s)")
    parser.add_argument("--frames", type=int, default=16, help="frames of a clip (default: %(default)s)")
    parser.add_argument("--size", type=int, default=224, help="rows and columns of a frame (default: %(default)s)")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="more settings of the configuration, for all networks")
    environment.add_program(parser)
    options = parser.parse_args()
    # The program runs in another folder.
    options.data = [path.absolute() for path in options.data]
    options.weights = [path.absolute() for path in options.weights]
    if missing := [str(path) for path in [*options.data, *options.weights] if not path.exists()]:
        parser.error(f"not found: {', '.join(missing)}")
    if options.seeds < 1 or options.training < 0:
        parser.error("expected --seeds of 1 or more and --training of 0 or more")
    return options


if __name__ == "__main__":
    sys.exit(main())
