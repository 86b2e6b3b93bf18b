"""Runs the tests and a training under the compiler's sanitizers.

    PYTHONPATH=Scripts python3 -m maintain.sanitize [KIND ...] [--filter NAME]

  address  AddressSanitizer: every access of memory by the tests
  leak     LeakSanitizer: a training at whose end no memory is lost
  thread   ThreadSanitizer: races; and UndefinedBehaviorSanitizer, in C alone, as Swift has none: an undefined operation of a
           kernel ends its process

ThreadSanitizer does not see into the library that Swift's Mutex waits in, so whatever such a lock guards looks like a race to
it, in our code and in the packages. It runs only on the tests that take no such lock: workers, small kernels, layers, training,
reading HDF5. (The naive twins of VGG16's convolutions would take it hours.)

Builds .build-address and .build-thread (ten minutes and 3 GB each); the tests take several times as long as otherwise. The
system's OpenBLAS, HDF5, cairo and FFmpeg's libraries are not instrumented, and readers run without their sandbox.
Exits with 1 where a sanitizer or a test complains.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from . import environment, process

ROOT = environment.REPOSITORY
THREADS = ("VidTrainTests|WorkersTests|RecurrentCellTests|ReductionTests|KerasWeightsTests|SoftmaxCrossEntropyTests|LayerGradientTests"
           "|BatchNormTests|ActivationTests")
# Swift's own crash reporter would take a crash before the sanitizer sees it.
VARIABLES = {"SWIFT_BACKTRACE": "enable=no"}


def flags(kind: str) -> list[str]:
    """The flags of a build, which its tests must be started with, too."""
    undefined = ["-Xcc", "-fsanitize=undefined", "-Xcc", "-fsanitize-trap=undefined"] if kind == "thread" else []
    return ["--sanitize", kind, "--scratch-path", f".build-{kind}", *undefined]


def build(kind: str) -> pathlib.Path:
    return process.build("vidclassPackageTests", *flags(kind), **VARIABLES)


def empty(folder: pathlib.Path) -> pathlib.Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run_tests(kind: str, options: str, filter_: str | None) -> bool:
    """Whether the tests of a build pass without a complaint; their programs are watched, too."""
    build(kind)
    reports = empty(ROOT / f".build-{kind}" / "reports")
    where = f"log_path={reports}/report:{options}"
    variables = os.environ | VARIABLES | {"VIDCLASS_SANITIZED": kind, "ASAN_OPTIONS": where, "TSAN_OPTIONS": where}
    filter_ = filter_ or (THREADS if kind == "thread" else None)
    command = ["swift", "test", "-c", "release", *flags(kind), "--skip-build", *(["--filter", filter_] if filter_ else [])]
    passed = subprocess.run(command, cwd=ROOT, env=variables).returncode == 0
    if not passed:
        print(f"{kind}: tests failed or ended early")
    return judge(kind, reports) and passed


def judge(kind: str, reports: pathlib.Path) -> bool:
    """Whether no process left a report. Prints the most frequent complaints."""
    files = [path for path in reports.iterdir() if path.is_file()]
    if not files:
        print(f"{kind}: no complaint")
        return True
    print(f"{kind}: {len(files)} processes with complaints, see {reports}:")
    lines = [line for path in files for line in path.read_text(errors="replace").splitlines()]
    counts = collections.Counter(re.sub(r"==\d+==", "", line) for line in lines if re.search(r"ERROR: |WARNING: |SUMMARY: |__clang_trap_msg", line))
    for line, count in counts.most_common(20):
        print(f"{count:6} {line}")
    return False


def run_leak() -> bool:
    vidclass = build("address") / "vidclass"
    reports = empty(ROOT / ".build-address" / "leaks")
    variables = os.environ | VARIABLES | {
        "ASAN_OPTIONS": f"log_path={reports}/report:detect_leaks=1",
        "LSAN_OPTIONS": f"suppressions={environment.SCRIPTS / 'maintain' / 'leaks.txt'}:print_suppressions=0"}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        process.quiet(vidclass, "synth", work / "data", "--clips-per-class", 8, "--frames", 4, "--rows", 32, "--columns", 32)
        train = ["train", "--config", ROOT / "Configs" / "smoke.json", "--quiet", "--no-cache", "--set", f"data.path={work / 'data'}",
                 "--set", "training.epochs=3"]
        passed = subprocess.run([vidclass, *train], cwd=work, env=variables).returncode == 0
        checkpoints = sorted(work.glob("runs/*/weights/best.safetensors"))
        predict = ["predict", *sorted(work.glob("data/*/000.bin")), "--checkpoint", *checkpoints]
        passed = passed and subprocess.run([vidclass, *predict], cwd=work, env=variables, stdout=subprocess.DEVNULL).returncode == 0
    return judge("leak", reports) and passed


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("kind", nargs="*", choices=["address", "leak", "thread", []], help="all unless named")
    parser.add_argument("--filter", metavar="NAME", help="only the tests of that name")
    options = parser.parse_args()
    process.set_up()
    # Swift's runtime keeps some memory for good, which is no leak of the tests; `leak` checks a training.
    kinds = {"address": lambda: run_tests("address", "detect_leaks=0", options.filter), "leak": run_leak,
             "thread": lambda: run_tests("thread", "handle_sigill=1", options.filter)}
    results = [kinds[kind]() for kind in options.kind or kinds]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
