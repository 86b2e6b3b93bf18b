#!/usr/bin/env python3
"""Makes Tests/VidTensorTests/Goldens/augmentation.safetensors, torchvision's numbers for changes of frames. Run by hand, with
numpy, torch, torchvision and safetensors installed (any recent versions; those used are noted in the file):

    python3 Scripts/make_augmentation_goldens.py            writes the file
    python3 Scripts/make_augmentation_goldens.py --check    makes it anew and compares with the committed one

Every case is computed in double precision on values of 0...1 and stored as 0...255 in single precision. Tensors are
named `case/tensor`: `input` and `output` (channels, rows, columns), `parameters`, and for changes in space `inside`, 1 where
all that torchvision reads lies in the frame, or in the part of it that is cut out: beyond, its rules are not vidclass's.
"""

import json
import pathlib
import sys

import numpy as np
import safetensors.numpy
import torch
import torchvision
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

FILE = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "VidTensorTests" / "Goldens" / "augmentation.safetensors"
BILINEAR = InterpolationMode.BILINEAR


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


def main():
    tensors = make()
    if "--check" in sys.argv[1:]:
        committed = safetensors.numpy.load_file(FILE)
        assert tensors.keys() == committed.keys(), "other tensors than committed"
        worst = max((np.abs(tensors[name] - committed[name]).max(initial=0) for name in tensors))
        print(f"largest difference {worst:.3g}")
        sys.exit(0 if worst <= 1e-4 else 1)
    note = {"seed": 31, "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "numpy": np.__version__}}
    FILE.parent.mkdir(exist_ok=True)
    safetensors.numpy.save_file(tensors, FILE, metadata={"golden": json.dumps(note)})
    print(f"{FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
