"""Goldens of changes of frames, by torchvision.

Every case is computed in double precision on values of 0...1 and stored as 0...255 in single precision. Tensors are
named `case/tensor`: `input` and `output` (channels, rows, columns), `parameters`, and for changes in space `inside`, 1 where
all that torchvision reads lies in the frame, or in the part of it that is cut out: beyond, its rules are not vidclass's.
"""

import numpy as np
import torch
import torchvision
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from . import golden

BILINEAR = InterpolationMode.BILINEAR


def write(folder):
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "numpy": np.__version__}
    golden.save(folder, "augmentation", make(), {"seed": 31, "versions": versions})


def make():
    random = np.random.default_rng(31)
    tensors = {}

    def add(case, image, output, parameters, inside=None):
        tensors[f"{case}/input"] = (image.numpy() * 255).astype(np.float32)
        tensors[f"{case}/output"] = (output.numpy() * 255).astype(np.float32)
        tensors[f"{case}/parameters"] = np.asarray(parameters, dtype=np.float32)
        if inside is not None:
            tensors[f"{case}/inside"] = inside.astype(np.float32)

    def image(channels, rows, columns, low=0, high=255):
        return torch.from_numpy(random.integers(low, high, (channels, rows, columns), endpoint=True) / 255)

    # Brightness, contrast, saturation; in this order where several are not 1. Mid-grey values stay within 0...1 (floats of
    # vidclass have no bounds), those of the whole range do not (bytes have).
    for case, factors, low, high in [
        ("brightness_mid", (1.375, 1, 1), 60, 180), ("contrast_mid", (1, 0.5, 1), 60, 180), ("saturation_mid", (1, 1, 1.25), 90, 160),
        ("all_mid", (0.75, 1.25, 0.25), 90, 160), ("brightness_full", (1.75, 1, 1), 0, 255), ("contrast_full", (1, 1.875, 1), 0, 255),
        ("saturation_full", (1, 1, 1.75), 0, 255), ("all_full", (1.25, 1.5, 1.5), 0, 255), ("black_full", (0, 1, 1), 0, 255),
    ]:
        for channels in (3, 1):
            source = image(channels, 13, 19, low, high)
            changed = F.adjust_saturation(F.adjust_contrast(F.adjust_brightness(source, factors[0]), factors[1]), factors[2])
            if low > 0:
                assert 0 < changed.min() and changed.max() < 1, case
            add(f"colour_{case}_{channels}", source, changed, factors)

    for case, rows, columns, box in [
        ("square", 16, 16, (3, 2, 9, 11)), ("wide", 12, 20, (0, 7, 12, 13)), ("pixel", 9, 9, (5, 6, 1, 1)), ("whole", 9, 14, (0, 0, 9, 14)),
    ]:
        source = image(3, rows, columns)
        changed = F.resized_crop(source, *box, [rows, columns], BILINEAR, antialias=False)
        inside = np.outer(within(rows, box[2]), within(columns, box[3]))
        add(f"crop_{case}", source, changed, box, inside)

    for case, rows, columns, angle in [("small", 17, 17, 7.5), ("back", 14, 21, -12.25), ("much", 15, 12, 77), ("half", 8, 9, 180)]:
        source = image(3, rows, columns)
        changed = F.rotate(source, angle, BILINEAR)
        inside = F.rotate(torch.ones(1, rows, columns, dtype=torch.float64), angle, BILINEAR)[0].numpy() > 1 - 1e-9
        assert inside.mean() > 0.3, case
        add(f"rotation_{case}", source, changed, [angle], inside)

    source = image(3, 7, 10)
    add("mirror", source, F.hflip(source), [0])
    return tensors


def within(size, part):
    """Which of `size` places that `part` pixels are resized to lie between the centres of its first and last pixel."""
    places = (np.arange(size) + 0.5) * part / size - 0.5
    return (places >= 0) & (places <= part - 1)
