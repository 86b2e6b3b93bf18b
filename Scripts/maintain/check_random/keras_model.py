"""The Keras model of a case's checkpoint: saved by the users' script, loaded where there is neither the script nor this package."""

import os
import shutil
import sys

import numpy as np

from maintain import environment, process

from . import choices

TOLERANCE = 1e-5
LOADING = """
import keras
import numpy as np

frames = np.load("frames.npy")
scores = keras.models.load_model("model.keras", compile=False).predict(frames.reshape(-1, *frames.shape[2:]), verbose=0)
np.save("scores.npy", scores.reshape(*frames.shape[:2], -1).mean(1))
"""


def check(case, folder, program, checkpoint, scores):
    """What is wrong with the Keras model."""
    # Alone, as its users copy it.
    script = shutil.copy(environment.SCRIPTS / "keras_from_checkpoint.py", folder)
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    config, size = case.config, case.config["model"]["input"]["frames"]
    chosen = [[choices.evaluation_frames(config, len(each.pixels), float(np.float32(each.rate)), i, config["evaluation"]["clips"])
               for i in range(config["evaluation"]["clips"])] for each in case.clips]
    filled = [[choices.filled(indices, size, config["data"]["short_clips"]) for indices in samples] for samples in chosen]
    whole = [i for i, samples in enumerate(filled) if all(all(mask) for _, mask in samples)]
    if any(layer["type"] == "lstm" and layer["activation"] == "hard_sigmoid" for layer in config["model"]["recurrent"]):
        ended = process.watch([sys.executable, script, checkpoint, "--output", "model.keras"], variables, folder)
        return [] if b"hard_sigmoid" in ended.errors and ended.status == 1 else [f"Keras: an LSTM of hard_sigmoid: {process.reason(ended)}"]
    paths = [case.clips[i].path for i in whole]
    try:
        process.run([sys.executable, script, checkpoint, *paths, "--output", "model.keras", "--vidclass", program], variables, folder)
        frames = [[case.clips[i].pixels[indices] for indices, _ in filled[i]] for i in whole]
        if not whole:
            return []
        np.save(folder / "frames.npy", np.array(frames, dtype=np.float32))
        process.run([sys.executable, "-c", LOADING], variables, folder)
    except process.Failed as failed:
        return [f"Keras: {failed}"]
    error = np.abs(np.load(folder / "scores.npy") - scores[whole]).max()
    return [] if error <= TOLERANCE else [f"Keras: its scores differ by {error:.2g}"]
