"""The command line."""

import argparse
import os
import pathlib
import textwrap
from dataclasses import dataclass

from . import peers

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Options:
    only: list[str]
    peers: list[str]
    rounds: int
    threads: int
    frames: int
    size: int
    clips_per_class: int
    keras_epochs: int
    weights: pathlib.Path | None
    vidclass: pathlib.Path
    venv: pathlib.Path
    json: pathlib.Path | None


def parse(measurements: list[str]) -> Options:
    """The options of this process; ends it with a message where they are wrong."""
    parser = argparse.ArgumentParser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures vidclass against its peers, alternately, with the same threads and inputs.",
        epilog=textwrap.dedent(f"""\
            measurements (--only):
              encode   VGG16 and global average pooling over a clip's frames
              step     step-1, step-4 and step-16: training steps of 1, 4 and 16 clips, VGG16 trainable; 16 is vidclass alone
              head     training steps of the head on cached features, 32 clips a step
              frozen   ten epochs with VGG16 frozen, as whole programs, vidclass with an empty and with a filled cache
              predict  one clip, as whole programs, imports included

            peers (--peers): {' '.join(peers.PEERS)}

            examples:
              python3 Scripts/bench_peers.py --only encode --rounds 7
              python3 Scripts/bench_peers.py --only step-1 head --peers keras torch-channels-last --threads 2
              python3 Scripts/bench_peers.py --only frozen --rounds 1 --keras-epochs 10 --weights vgg16_notop.h5
              python3 Scripts/bench_peers.py --quick --json quick.json
              PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu python3 Scripts/bench_peers.py
                                              takes PyTorch's smaller build without CUDA into the virtual environment"""))
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    parser.add_argument("--only", nargs="+", choices=[*measurements, "step"], default=measurements, metavar="MEASUREMENT")
    parser.add_argument("--peers", nargs="*", choices=peers.PEERS, default=list(peers.PEERS), metavar="NAME")
    parser.add_argument("--rounds", type=positive, help="how often each takes its turn (default: 5)")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)), help="default: all (%(default)s)")
    parser.add_argument("--frames", type=positive, help="frames of a clip (default: 16)")
    parser.add_argument("--size", type=positive, help="rows and columns of a frame, at least 32 (default: 224)")
    parser.add_argument("--clips-per-class", type=positive, help="of the four classes of `frozen` (default: 16)")
    parser.add_argument("--keras-epochs", type=positive, default=2,
                        help="epochs of `frozen` that Keras runs, 2 to 10; the rest is extrapolated (default: %(default)s)")
    parser.add_argument("--weights", type=pathlib.Path, metavar="H5",
                        help="Keras's VGG16 weights without the top, for `frozen` and `predict` (default: random weights)")
    parser.add_argument("--vidclass", type=pathlib.Path, default=REPOSITORY / ".build" / "release" / "vidclass")
    parser.add_argument("--venv", type=pathlib.Path, default=cache / "vidclass-bench" / "venv",
                        help="the peers' virtual environment, made if need be (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all samples to FILE as well")
    parser.add_argument("--quick", action="store_true", help="2 rounds, 2 frames of 64 x 64, 5 clips a class")
    found = vars(parser.parse_args())
    defaults = dict(rounds=2, frames=2, size=64, clips_per_class=5) if found.pop("quick") else dict(
        rounds=5, frames=16, size=224, clips_per_class=16)
    found |= {key: value for key, value in defaults.items() if found[key] is None}

    wanted = set(found["only"])
    found["only"] = [name for name in measurements if name in wanted or name.split("-")[0] in wanted]
    for key in ["vidclass", "venv", "weights", "json"]:
        # The children run elsewhere.
        found[key] = found[key] and found[key].absolute()
    if not os.access(found["vidclass"], os.X_OK):
        parser.error(f"no vidclass at {found['vidclass']}; build it (swift build -c release) or name it with --vidclass")
    if found["weights"] and not found["weights"].is_file():
        parser.error(f"no weights at {found['weights']}")
    if not 2 <= found["keras_epochs"] <= 10:
        parser.error(f"--keras-epochs takes a number from 2 to 10, not {found['keras_epochs']}")
    if found["size"] < 32:
        parser.error(f"--size takes a number from 32 on, not {found['size']}")
    return Options(**found)


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text}")
    return value
