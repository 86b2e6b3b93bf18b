#!/usr/bin/env python3
"""Shows that a checkpoint is all a PyTorch or Keras user needs: the same probabilities from all three.

    python3 Scripts/check_checkpoint.py RUN CLIP [CLIP ...] [--vidclass .build/release/vidclass]

RUN is a run's folder (its weights/best.safetensors is taken) or a checkpoint; CLIPs are `.bin` files in the model's
frame size. The script opens the checkpoint with Python's safetensors, builds the model in PyTorch and in Keras from
the config in its metadata, and compares both models' probabilities with those of `vidclass predict --format json`.
Exit code 1 when any differs by more than 1e-4.
"""

import argparse
import json
import pathlib
import subprocess
import sys

from goldens import environment

TOLERANCE = 1e-4


def main():
    parser = argparse.ArgumentParser(description="Compares a checkpoint's predictions with PyTorch's and Keras's.")
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("clips", type=pathlib.Path, nargs="+")
    parser.add_argument("--vidclass", type=pathlib.Path, default=environment.REPOSITORY / ".build" / "release" / "vidclass")
    arguments = parser.parse_args()
    environment.enter()

    import numpy as np

    path = arguments.run / "weights" / "best.safetensors" if arguments.run.is_dir() else arguments.run
    parameters, config, classes = read_checkpoint(path)
    model = config["model"]
    frames, masks = [], []
    for file in arguments.clips:
        pixels, mask = read_clip(file, config)
        frames.append(pixels)
        masks.append(mask)
    found = {"PyTorch": by_torch(frames, masks, parameters, model), "Keras": by_keras(frames, masks, parameters, model)}
    expected = by_vidclass(arguments.vidclass, path, arguments.clips, classes)

    errors = []
    for index, file in enumerate(arguments.clips):
        for name, probabilities in found.items():
            scores = np.array([expected[index][label] for label in classes])
            errors.append(np.abs(probabilities[index] - scores).max())
            best = probabilities[index].argmax()
            print(f"{file}: {name} says {classes[best]} {probabilities[index][best]:.6f}, vidclass {scores[best]:.6f}, "
                  f"largest difference {errors[-1]:.2g}")
    print(f"largest difference {np.max(errors):.2g}, allowed {TOLERANCE:.0e}")
    # NaN must not pass.
    sys.exit(0 if all(error <= TOLERANCE for error in errors) else 1)


def read_checkpoint(path):
    """Parameters in double precision without the optimiser's, config, class names."""
    import numpy as np
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        names = [name for name in file.keys() if not name.startswith("optimizer/")]
        parameters = {name: file.get_tensor(name).astype(np.float64) for name in names}
    if metadata.get("format") != "vidclass":
        sys.exit(f"error: {path}: no checkpoint of vidclass")
    return parameters, json.loads(metadata["config"]), json.loads(metadata["classes"])


def read_clip(path, config):
    """Preprocessed frames (T, rows, columns, channels) and the mask of the steps that count."""
    from goldens import clip

    model_input = config["model"]["input"]
    pixels = clip.read(path)
    size = [model_input[key] for key in ["rows", "columns", "channels"]]
    if list(pixels.shape[1:]) != size:
        sys.exit(f"error: {path}: frames of {pixels.shape[1:]}, the model takes {size}; this script does not resize")
    pixels, mask = clip.select(pixels, model_input["frames"], config["data"]["short_clips"])
    return clip.preprocess(pixels, config["data"]["preprocessing"]), mask


def by_torch(frames, masks, parameters, model):
    import numpy as np
    import torch

    from goldens import model as network

    tensors = {name: torch.tensor(values) for name, values in parameters.items()}
    expected = network.parameter_shapes(model, len(parameters["output/bias"]))
    assert {name: tuple(values.shape) for name, values in tensors.items()} == expected, "other tensors than the config says"
    with torch.no_grad():
        return [torch.softmax(network.logits(torch.tensor(np.ascontiguousarray(pixels))[None], tensors, model,
                                             torch.tensor(mask)[None]), -1)[0].numpy()
                for pixels, mask in zip(frames, masks)]


def by_keras(frames, masks, parameters, model):
    from goldens import keras_model

    return [keras_model.probabilities(pixels[None], parameters, model, mask[None])[0] for pixels, mask in zip(frames, masks)]


def by_vidclass(binary, checkpoint, clips, classes):
    """For each clip, the scores by label."""
    command = [binary, "predict", *clips, "--checkpoint", checkpoint, "--top", str(len(classes)), "--format", "json"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    documents = json.loads(output)
    return [{entry["label"]: entry["score"] for entry in document["predictions"]} for document in documents]


if __name__ == "__main__":
    main()
