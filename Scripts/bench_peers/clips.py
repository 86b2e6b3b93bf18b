"""Clips and configurations for the measurements of whole programs."""

import json
import pathlib

from .session import Session

CLASSES = 4
BATCH = 8
VALIDATION_SPLIT = 0.2


def made(session: Session, per_class: int) -> pathlib.Path:
    """A folder of synthetic clips, made once a session."""
    folder = session.folder / f"clips-{per_class}"
    if not folder.exists():
        size = session.options.size
        session.vidclass("synth", folder, "--classes", CLASSES, "--clips-per-class", per_class, "--frames", session.options.frames,
                         "--rows", size, "--columns", size)
    return folder


def config(session: Session, data: pathlib.Path, epochs: int, validation_split: float) -> pathlib.Path:
    """A configuration file: the defaults, with this session's shape and weights."""
    document = {
        "model": {
            "input": {"frames": session.options.frames, "rows": session.options.size, "columns": session.options.size},
            "cnn": {"weights": "imagenet" if session.options.weights else None, "trainable": False}},
        "data": {"path": str(data), "validation_split": validation_split, "preprocessing": "caffe"},
        "training": {"epochs": epochs, "batch_size": BATCH},
        "output": {"directory": str(session.folder / "runs"), "name": data.name}}
    path = session.folder / f"{data.name}.json"
    path.write_text(json.dumps(document))
    return path


def import_weights(session: Session, cache: pathlib.Path) -> None:
    """Makes the weights that --weights names, if any, this cache's `imagenet`."""
    if session.options.weights:
        session.vidclass("weights", "import", session.options.weights, cache=cache)
