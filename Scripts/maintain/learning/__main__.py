"""Does vidclass learn as well as Keras and PyTorch? Same clips, split, network, start, optimiser; several seeds each.

    PYTHONPATH=Scripts python3 -m maintain.learning VIDEOS --weights vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5
    PYTHONPATH=Scripts python3 -m maintain.learning VIDEOS --task trained --seeds 20 --peers keras

VIDEOS has labelled clips, one folder per class, at any depth (train/<class>/... too). They are packed once to small frames
and split once, with few clips to learn from, so that accuracy stays below 1. There are two tasks, in Scripts/maintain/learning/configs:

  frozen   VGG16 with ImageNet weights, which do not learn, LSTM, dense layer, softmax
  trained  a small CNN from random weights that learns with the rest

All read the same bytes, take the same frames of a clip, preprocess them alike, and draw their own initial weights from
Keras's initialisers and their own order of the clips. Programs differ as seeds differ, and the table shows whether
they differ more. Keras 3's Nadam has another momentum than vidclass's, which is Keras 1's and 2's: `keras` trains by
that one, written for Keras 3; `keras-3` by Keras 3's own; `torch` by PyTorch's NAdam, which is the same formula as vidclass's.

Exit code 1 when vidclass's accuracy differs from that of a peer with the same optimiser by more than chance allows
(permutation test, p < 0.01 in one of the comparisons, of which there are two a peer and task: run more --seeds to be sure).
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile

from maintain import environment, process

from . import contestants, report

CONFIGS = pathlib.Path(__file__).resolve().parent / "configs"
TASKS = ["frozen", "trained"]


def main() -> int:
    options = parse()
    python = options.python or environment.prepare(options.venv, packages(options.peers))
    folder = options.work or pathlib.Path(tempfile.mkdtemp(prefix="vidclass-learning-"))
    try:
        return compare(options, python, folder)
    except process.Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        if not options.work:
            shutil.rmtree(folder, ignore_errors=True)


def compare(options: argparse.Namespace, python: pathlib.Path, folder: pathlib.Path) -> int:
    versions = environment.versions(python, packages(options.peers))
    print("Versions: " + ", ".join(f"{name} {version or 'absent'}" for name, version in versions.items()) + ".", flush=True)
    packed = folder / "clips"
    process.run([options.vidclass, "pack", options.videos, packed, "--frames", 0, "--rows", options.size, "--columns", options.size],
              dict(os.environ), environment.REPOSITORY)
    split = contestants.write_split(packed, options.training, options.validation, options.split_seed)
    parts = " + ".join(f"{count} {name}" for name, count in split.counts.items())
    print(f"Clips: {parts}, {split.classes} classes (chance {1 / split.classes:.3f}), frames of {options.size} x {options.size}.", flush=True)

    results = []
    for name in options.task:
        task = contestants.Task(CONFIGS / f"{name}.json", split.csv, options.weights if name == "frozen" else None, options.seeds,
                                options.threads, folder)
        result = report.Result(name, contestants.by_vidclass(options.vidclass, task), {})
        print(f"{name}: vidclass {report.progress(result.vidclass)}", file=sys.stderr)
        for peer in options.peers:
            result.peers[peer] = contestants.by_peer(python, contestants.PEERS[peer], task)
            print(f"{name}: {peer} {report.progress(result.peers[peer])}", file=sys.stderr)
        results.append(result)
        print("\n" + report.table(result), flush=True)
    if options.json:
        options.json.write_text(report.document(versions, split, results))
    different = report.differences(results)
    print("\n" + (f"Differences beyond chance: {'; '.join(different)}." if different else
                  "No peer with the same optimiser differs from vidclass beyond chance."))
    return 1 if different else 0


def packages(peers: list[str]) -> list[str]:
    return list(dict.fromkeys(package for peer in peers for package in contestants.PEERS[peer].packages))


def parse() -> argparse.Namespace:
    parser = environment.parser(__doc__)
    parser.add_argument("videos", type=pathlib.Path, help="a folder of labelled clips")
    parser.add_argument("--task", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--peers", nargs="*", choices=contestants.PEERS, default=list(contestants.PEERS))
    parser.add_argument("--weights", type=pathlib.Path, metavar="H5", help="Keras's VGG16 weights without the top, for `frozen`")
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each (default: %(default)s)")
    parser.add_argument("--training", type=int, default=2, help="clips of a class to learn from (default: %(default)s)")
    parser.add_argument("--validation", type=int, default=2, help="clips of a class that choose the best epoch (default: %(default)s)")
    parser.add_argument("--split-seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: all (%(default)s)")
    environment.add_program(parser)
    parser.add_argument("--python", type=pathlib.Path, help="an interpreter that has the peers' packages")
    parser.add_argument("--venv", type=pathlib.Path, default=environment.cache() / "vidclass-bench/venv",
                        help="without --python: the virtual environment of maintain.peers, made if need be (%(default)s)")
    parser.add_argument("--work", type=pathlib.Path, metavar="FOLDER", help="keep clips, split and runs here (default: not kept)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every seed's numbers to FILE as well")
    options = parser.parse_args()
    # Both tasks' configurations have this size, the smallest that VGG16 takes.
    options.size = 32
    for key in ["videos", "weights", "python", "venv", "work", "json"]:
        # The children run elsewhere. Not resolved: a virtual environment's python is a link.
        setattr(options, key, getattr(options, key) and getattr(options, key).absolute())
    if not options.videos.is_dir():
        parser.error(f"no folder at {options.videos}")
    if "frozen" in options.task and not (options.weights and options.weights.is_file()):
        parser.error("the task `frozen` needs --weights H5; or give --task trained")
    if options.seeds < 2 or options.training < 1 or options.validation < 1:
        parser.error("expected --seeds of 2 or more, --training and --validation of 1 or more")
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    sys.exit(main())
