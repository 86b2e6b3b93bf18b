"""Measures vidclass against OpenVINO, ONNX Runtime, Keras on TensorFlow and PyTorch on this machine.

    PYTHONPATH=Scripts python3 -m maintain.peers                            everything: hours on two cores
    PYTHONPATH=Scripts python3 -m maintain.peers --only encode head         some of it
    PYTHONPATH=Scripts python3 -m maintain.peers --quick                    does it all run? Small frames; the numbers mean nothing

All take turns in one session, each in a process of its own with the same number of threads and inputs of the same
shape, in fp32; each table has the medians over the rounds of time and of the whole process's peak memory, and a last table has
all medians side by side. The peers live in a virtual environment that this script makes (--venv), with the newest versions of their
packages.

measurements (--only; a part of a name, such as `encode`, `step-1` or `resnet50`, takes all that have it):
  encode-NETWORK   the network and global average pooling over a clip's frames
  step-N-NETWORK   training steps of N clips, every layer trainable
  head             training steps of the head on cached features, 32 clips a step
  frozen           ten epochs with VGG16 frozen, as whole programs, vidclass with an empty and with a filled cache
  predict          one clip, as whole programs, imports included

NETWORK is vgg16, mobilenet_v2, efficientnet_lite0 or resnet50. The peers run the models that `vidclass export` writes, so all compute
the same. N is 1, and for vgg16 also 4 and 16; the 16 are vidclass's alone.

examples:
  PYTHONPATH=Scripts python3 -m maintain.peers --only encode --rounds 7
  PYTHONPATH=Scripts python3 -m maintain.peers --only mobilenet_v2 step-1-resnet50 --peers openvino torch-compile
  PYTHONPATH=Scripts python3 -m maintain.peers --only step-1 head --peers keras torch-channels-last --threads 2
  PYTHONPATH=Scripts python3 -m maintain.peers --only frozen --rounds 1 --keras-epochs 10 --weights vgg16_notop.h5
  PYTHONPATH=Scripts python3 -m maintain.peers --quick --json quick.json
  PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu PYTHONPATH=Scripts python3 -m maintain.peers

Exit code 1 when vidclass itself fails somewhere; a peer that fails is a line of the table.
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from maintain import environment, process

from . import report
from .measurement import PEERS, measure, packages
from .measurements import MEASUREMENTS
from .session import Session, describe


def main() -> int:
    arguments = parse()
    # A terminated session must end its children like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vidclass-bench-"))
    try:
        return run(arguments, folder)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(arguments: argparse.Namespace, folder: pathlib.Path) -> int:
    wanted = packages(arguments.peers)
    python = environment.prepare(arguments.venv, wanted) if wanted else pathlib.Path(sys.executable)
    session = Session(arguments, folder, python)
    try:
        facts = describe(session, environment.versions(python, wanted))
    except process.Failed as error:
        print(f"error: {arguments.vidclass} doctor: {error}", file=sys.stderr)
        return 1
    if facts.load > 0.5:
        # Peers whose threads spin at barriers lose most: PyTorch was 20 times as slow beside another program.
        print(f"warning: something else was running (load {facts.load:.1f}); it costs the peers more than vidclass", file=sys.stderr)
    print(report.machine(facts), flush=True)

    results, is_valid = [], True
    for name in arguments.only:
        try:
            result = measure(MEASUREMENTS[name](session), arguments.rounds)
        except process.Failed as error:
            print(f"error: {name}: vidclass: {error}", file=sys.stderr)
            is_valid = False
            continue
        is_valid = is_valid and result.is_valid
        results.append(result)
        print("\n" + report.table(result, facts.versions), flush=True)
        if arguments.json:
            arguments.json.write_text(report.json_document(facts, arguments, results))
    if results:
        print("\n**All medians**\n\n" + report.summary(results))
    return 0 if is_valid else 1


def parse() -> argparse.Namespace:
    """The options of this process; ends it with a message where they are wrong."""
    parser = environment.parser(__doc__)
    parser.add_argument("--only", nargs="+", default=list(MEASUREMENTS), metavar="MEASUREMENT",
                        help="names or parts of names (default: all)")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS), metavar="NAME", help=f"any of {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=positive, help="how often each takes its turn (default: 5)")
    parser.add_argument("--threads", type=positive, default=len(os.sched_getaffinity(0)), help="default: all (%(default)s)")
    parser.add_argument("--frames", type=positive, help="frames of a clip (default: 16)")
    parser.add_argument("--size", type=positive, help="rows and columns of a frame, at least 32 (default: 224)")
    parser.add_argument("--clips-per-class", type=positive, help="of the four classes of `frozen` (default: 16)")
    parser.add_argument("--keras-epochs", type=positive, default=2,
                        help="epochs of `frozen` that Keras runs, 2 to 10; the rest is extrapolated (default: %(default)s)")
    parser.add_argument("--weights", type=pathlib.Path, metavar="H5",
                        help="Keras's VGG16 weights without the top, for `frozen` and `predict` (default: random weights)")
    environment.add_program(parser)
    parser.add_argument("--venv", type=pathlib.Path, default=environment.cache() / "vidclass-bench" / "venv",
                        help="the peers' virtual environment, made if need be (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all samples to FILE as well")
    parser.add_argument("--quick", action="store_true", help="2 rounds, 2 frames of 64 x 64, 5 clips a class")
    found = parser.parse_args()
    defaults = dict(rounds=2, frames=2, size=64, clips_per_class=5) if found.quick else dict(
        rounds=5, frames=16, size=224, clips_per_class=16)
    for key, value in defaults.items():
        setattr(found, key, getattr(found, key) or value)
    chosen = {word: [name for name in MEASUREMENTS if f"-{word}-" in f"-{name}-"] for word in found.only}
    if unknown := [word for word, names in chosen.items() if not names]:
        parser.error(f"--only: no measurement {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}")
    found.only = [name for name in MEASUREMENTS if any(name in names for names in chosen.values())]
    for key in ["venv", "weights", "json"]:
        # The children run elsewhere.
        setattr(found, key, getattr(found, key) and getattr(found, key).absolute())
    if found.weights and not found.weights.is_file():
        parser.error(f"no weights at {found.weights}")
    if not 2 <= found.keras_epochs <= 10:
        parser.error(f"--keras-epochs takes a number from 2 to 10, not {found.keras_epochs}")
    if found.size < 32:
        parser.error(f"--size takes a number from 32 on, not {found.size}")
    return found


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
