"""The pinned Python environments of the scripts that need PyTorch and Keras, or librosa.

`enter()` returns when the running interpreter has the versions of a requirements file. Otherwise it makes a virtual
environment in .build (or VIDCLASS_PYTHON_ENV), installs them and starts the script again with it.
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
AUDIO_REQUIREMENTS = FOLDER / "audio_requirements.txt"


def pinned(requirements=REQUIREMENTS):
    """Package names and versions of a requirements file."""
    lines = requirements.read_text().splitlines()
    return dict(line.split("==") for line in lines if re.match(r"\w", line))


def installed(requirements=REQUIREMENTS):
    """The versions this interpreter has, without the local part (`2.13.0`, not `2.13.0+cpu`); None where absent."""
    versions = {}
    for name in pinned(requirements):
        try:
            versions[name] = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def enter(requirements=REQUIREMENTS, name="python"):
    """Goes on in an interpreter with the pinned versions, making one in .build/`name` if need be."""
    # Keras on TensorFlow: an implementation of its own, not PyTorch under another name.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if installed(requirements) == pinned(requirements):
        return
    if os.environ.get("VIDCLASS_PYTHON_ENTERED"):
        sys.exit(f"error: {sys.executable} has {installed(requirements)}, expected {pinned(requirements)}")
    folder = pathlib.Path(os.environ.get("VIDCLASS_PYTHON_ENV", REPOSITORY / ".build" / name))
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making a Python environment in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
    os.environ["VIDCLASS_PYTHON_ENTERED"] = "1"
    os.execv(python, [str(python), *sys.argv])
