"""Compares a checkpoint's predictions with PyTorch's and Keras's: the same probabilities from all three.

    PYTHONPATH=Scripts python3 -m maintain.checkpoint RUN CLIP [CLIP ...]

RUN is a run's folder (its weights/best.safetensors is taken) or a checkpoint; CLIPs are `.bin` or `.npy` files in the model's
frame size. The script opens the checkpoint with Python's safetensors, builds the model in PyTorch and in Keras from the config in
its metadata, and compares both models' probabilities with those of `vidclass predict --format json`. Exit code 1 when any
differs by more than 1e-4.
"""

import pathlib
import sys

from . import environment

TOLERANCE = 1e-4


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("clips", type=pathlib.Path, nargs="+")
    environment.add_program(parser)
    arguments = parser.parse_args()
    environment.enter(*environment.NETWORKS)

    import keras_from_checkpoint
    import numpy as np

    from . import clip, torch_network
    from .goldens import keras_check

    path = arguments.run / "weights" / "best.safetensors" if arguments.run.is_dir() else arguments.run
    tensors, config, classes = keras_from_checkpoint.read_checkpoint(path)
    parameters = {name: values.astype(np.float64) for name, values in tensors.items()}
    scores = keras_from_checkpoint.vidclass_scores(arguments.vidclass, path, arguments.clips, classes)
    errors = []
    for file, expected in zip(arguments.clips, scores, strict=True):
        pixels, mask = keras_from_checkpoint.samples(file, config)
        frames, mask = clip.preprocess(pixels.astype(np.float64), config["data"]["preprocessing"]), mask.astype(np.float64)
        found = {"PyTorch": torch_network.probabilities(frames, parameters, config["model"], mask),
                 "Keras": keras_check.probabilities(frames, parameters, config["model"], mask)}
        for name, samples in found.items():
            probabilities = samples.mean(0)
            errors.append(np.abs(probabilities - expected).max())
            best = probabilities.argmax()
            print(f"{file}: {name} says {classes[best]} {probabilities[best]:.6f}, vidclass {expected[best]:.6f}, "
                  f"largest difference {errors[-1]:.2g}")
    print(f"largest difference {np.max(errors):.2g}, allowed {TOLERANCE:.0e}")
    # NaN must not pass.
    sys.exit(0 if all(error <= TOLERANCE for error in errors) else 1)


if __name__ == "__main__":
    main()
