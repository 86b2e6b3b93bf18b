"""The pinned Python environment of the scripts that need PyTorch and Keras.

`enter()` returns when the running interpreter has the versions of requirements.txt. Otherwise it makes a virtual
environment in .build/python (or VIDCLASS_PYTHON_ENV), installs them and starts the script again with it.
"""

import importlib.metadata
import os
import pathlib
import re
import subprocess
import sys
import venv

FOLDER = pathlib.Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent.parent
REQUIREMENTS = FOLDER / "requirements.txt"


def pinned():
    """Package names and versions of requirements.txt."""
    lines = REQUIREMENTS.read_text().splitlines()
    return dict(line.split("==") for line in lines if re.match(r"\w", line))


def installed():
    """The versions this interpreter has, without the local part (`2.13.0`, not `2.13.0+cpu`); None where absent."""
    versions = {}
    for name in pinned():
        try:
            versions[name] = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def enter():
    """Goes on in an interpreter with the pinned versions, making one if need be."""
    # Keras on TensorFlow: an implementation of its own, not PyTorch under another name.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if installed() == pinned():
        return
    if os.environ.get("VIDCLASS_PYTHON_ENTERED"):
        sys.exit(f"error: {sys.executable} has {installed()}, expected {pinned()}")
    folder = pathlib.Path(os.environ.get("VIDCLASS_PYTHON_ENV", REPOSITORY / ".build" / "python"))
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making a Python environment in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True)
    os.environ["VIDCLASS_PYTHON_ENTERED"] = "1"
    os.execv(python, [str(python), *sys.argv])
