"""The repository, the built program, and the virtual environments of the checks."""

import argparse
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys
import venv

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = SCRIPTS.parent
REQUIREMENTS = SCRIPTS / "maintain" / "requirements.txt"
# Keras on TensorFlow: an independent implementation, not PyTorch under another name.
QUIET = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
NETWORKS = ("torch", "keras", "tensorflow-cpu", "safetensors", "h5py", "numpy")
VERSIONS = """
import importlib.metadata, json, sys
def version(name):
    try: return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


def cache() -> pathlib.Path:
    """The user's cache folder."""
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")


def program(text: str) -> pathlib.Path:
    """The type of an option that names a program."""
    path = pathlib.Path(text).absolute()
    if not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(f"{path} is not a program; build it (swift build -c release) or name another one")
    return path


def parser(description: str) -> argparse.ArgumentParser:
    """A parser of the command line of the check that runs, which its module's text describes."""
    name = sys.modules["__main__"].__spec__.name.removesuffix(".__main__")
    return argparse.ArgumentParser(prog=f"python3 -m {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_program(parser: argparse.ArgumentParser) -> None:
    """Adds --vidclass, which is the program built here unless given."""
    parser.add_argument("--vidclass", type=program, metavar="PROGRAM", default=str(REPOSITORY / ".build" / "release" / "vidclass"),
                        help="the program to check (default: the one built here)")


def pinned(names) -> dict[str, str]:
    """The versions of these packages in requirements.txt."""
    found = dict(line.split("==") for line in REQUIREMENTS.read_text().splitlines() if re.match(r"\w", line))
    return {name: found[name] for name in names}


def installed(names) -> dict[str, str | None]:
    """The versions that this interpreter has, without the local part (`2.13.0`, not `2.13.0+cpu`); None where absent."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def enter(*names: str) -> None:
    """Continues in an interpreter that has the pinned versions of these packages.

    If this one lacks them, makes a virtual environment in .build/python (or VIDCLASS_PYTHON_ENV), installs them there and
    starts the program again.
    """
    os.environ.update({"TF_ENABLE_ONEDNN_OPTS": "0"} | QUIET)
    if installed(names) == pinned(names):
        return
    if os.environ.get("VIDCLASS_PYTHON_ENTERED"):
        sys.exit(f"error: {sys.executable} has {installed(names)}, expected {pinned(names)}")
    python = make(pathlib.Path(os.environ.get("VIDCLASS_PYTHON_ENV", REPOSITORY / ".build" / "python")))
    index = [line.split()[1] for line in REQUIREMENTS.read_text().splitlines() if line.startswith("--extra-index-url")]
    if not install(python, ["--extra-index-url", *index, *(f"{name}=={version}" for name, version in pinned(names).items())]):
        sys.exit(f"error: {', '.join(names)} could not be installed in {python.parent.parent}")
    os.environ["VIDCLASS_PYTHON_ENTERED"] = "1"
    os.execv(python, [str(python), *sys.orig_argv[1:]])


def prepare(folder: pathlib.Path, packages: list[str]) -> pathlib.Path:
    """The interpreter of an environment in `folder` with the newest versions of these packages."""
    python = make(folder)
    missing = absent(python, packages)
    if missing:
        print(f"installing {', '.join(missing)}; this takes minutes and gigabytes", file=sys.stderr)
        if not install(python, missing):
            # A package that this machine cannot have must not prevent the others.
            for name in missing:
                install(python, [name])
        if missing := absent(python, packages):
            print(f"warning: not installed: {', '.join(missing)}", file=sys.stderr)
    return python


def versions(python: pathlib.Path, packages: list[str]) -> dict[str, str | None]:
    """The version of each package that an interpreter has; None where absent."""
    return json.loads(subprocess.run([python, "-c", VERSIONS, *packages], check=True, stdout=subprocess.PIPE).stdout)


def absent(python: pathlib.Path, packages: list[str]) -> list[str]:
    return [name for name, version in versions(python, packages).items() if version is None]


def make(folder: pathlib.Path) -> pathlib.Path:
    """The interpreter of the virtual environment in `folder`, which is made if need be."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making a virtual environment in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    return python


def install(python: pathlib.Path, words: list[str]) -> bool:
    # A check's standard output is its report alone.
    return subprocess.run([python, "-m", "pip", "install", "--quiet", *words], stdout=sys.stderr).returncode == 0
