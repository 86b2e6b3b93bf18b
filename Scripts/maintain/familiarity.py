"""Measures how often `predict` calls known and unknown kinds of video unfamiliar.

    PYTHONPATH=Scripts python3 -m maintain.familiarity VIDEOS --without CLASS ... [--other FOLDER ...] [--config FILE]
        [--set KEY=VALUE ...] [--vidclass PROGRAM]

VIDEOS holds a folder per class, or `train` and `test` with such folders. The classes named with --without are left out of a training
with FILE (default: Configs/vgg16-lstm.json). Then `predict` judges the held-out clips of the other classes, all clips of the classes
left out, those in each other FOLDER, and made-up clips of noise and of one grey. The table shows the share that it calls unfamiliar: of
known clips these are false alarms.
"""

import csv
import json
import pathlib
import subprocess
import tempfile

from . import environment


def classes(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def made(folder: pathlib.Path, rows: int, columns: int) -> dict[str, list[pathlib.Path]]:
    """Clips that nobody filmed: noise, and one grey from black to white in all frames."""
    import numpy as np

    random = np.random.default_rng(0)
    kinds = {
        "noise": [random.integers(0, 256, (16, 3, rows, columns), dtype=np.uint8) for _ in range(20)],
        "one grey": [np.full((16, 3, rows, columns), level, np.uint8) for level in range(0, 256, 51)],
    }
    paths = {}
    for kind, clips in kinds.items():
        paths[kind] = [folder / f"{kind} {index}.npy" for index in range(len(clips))]
        for path, clip in zip(paths[kind], clips):
            np.save(path, clip)
    return paths


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("videos", type=pathlib.Path)
    parser.add_argument("--without", nargs="+", required=True, metavar="CLASS")
    parser.add_argument("--other", nargs="*", default=[], type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--config", type=pathlib.Path, default=environment.REPOSITORY / "Configs/vgg16-lstm.json")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    environment.add_program(parser)
    options = parser.parse_args()
    environment.enter("numpy")
    splits = [path for path in classes(options.videos) if path.name in ("train", "test")] or [options.videos]
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        rows, unknown = [], []
        for split in splits:
            for label in classes(split):
                paths = sorted(path.resolve() for path in label.rglob("*") if path.is_file())
                if label.name in options.without:
                    unknown += paths
                else:
                    rows += [[path, label.name] + ([split.name] if len(splits) > 1 else []) for path in paths]
        with open(work / "known.csv", "w", newline="") as file:
            csv.writer(file).writerows([["path", "label", "split"][: len(rows[0])], *rows])
        # A test split: validation clips calibrate.
        shares = [] if len(splits) > 1 else ["data.test_split=0.2"]
        sets = [word for value in [f"data.path={work / 'known.csv'}", f"output.directory={work}", *shares, *options.set] for word in ("--set", value)]
        subprocess.run([options.vidclass, "train", "--config", options.config, "--quiet", *sets], check=True)
        with open(work / "train/splits.csv") as file:
            held_out = [row["path"] for row in csv.DictReader(file) if row["split"] == "test"]
        kinds = {"known, held out": [work / path for path in held_out], "classes left out": unknown}
        for folder in options.other:
            kinds[folder.name] = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        model_input = json.loads((work / "train/config.json").read_text())["model"]["input"]
        kinds |= made(work, model_input["rows"], model_input["columns"])
        for kind, paths in kinds.items():
            if not paths:
                continue
            done = subprocess.run([options.vidclass, "predict", "--format", "json", "--checkpoint", work / "train/weights/best.safetensors", "--", *paths],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if done.returncode:
                raise SystemExit(done.stderr)
            flags = [entry["unfamiliar"] for entry in json.loads(done.stdout)]
            print(f"{kind:18} {sum(flags):4} of {len(flags):4} unfamiliar", flush=True)


if __name__ == "__main__":
    main()
