#!/usr/bin/env python3
"""Makes the golden files that vidclass's tests compare with, from PyTorch and Keras. Run by hand:

    python3 Scripts/make_goldens.py            writes Tests/VidModelTests/Goldens/*.safetensors
    python3 Scripts/make_goldens.py --check    makes them anew and compares with the committed ones

It needs Python 3.11 or newer, and makes a virtual environment in .build/python with the versions pinned in
Scripts/goldens/requirements.txt unless the running interpreter has them (1.5 GB, a minute). Seeds are fixed.

Every number is PyTorch's, by autograd in double precision, and where Keras has the same layer the script asserts that
Keras on TensorFlow gives the same outputs and gradients (to 1e-9 in double precision, mostly).

The pooled VGG16 features of `vgg16_features.safetensors` are made by Scripts/check_vgg16.py.
"""

import argparse
import pathlib
import sys
import tempfile

from goldens import environment


def main():
    parser = argparse.ArgumentParser(description="Makes the goldens of vidclass's tests.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    arguments = parser.parse_args()
    environment.enter()

    from goldens import cases, head_goldens, optimizer_goldens, training_goldens, vision_goldens

    makers = [
        vision_goldens.convolution, vision_goldens.pooling,
        head_goldens.dense, head_goldens.recurrent, head_goldens.time_mean, head_goldens.batch_normalization,
        head_goldens.loss, optimizer_goldens.optimizers, *training_goldens.MAKERS,
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) if arguments.check else cases.FOLDER
        total = sum(maker().save(folder) for maker in makers)
        print(f"{total} bytes in all")
        if arguments.check:
            sys.exit(compare(folder, cases.FOLDER))


def compare(made, committed):
    """0 when every tensor made is within 1e-6 of the committed one."""
    import numpy as np
    from safetensors.numpy import load_file

    worst = 0.0
    for path in sorted(made.glob("*.safetensors")):
        new, old = load_file(path), load_file(committed / path.name)
        if new.keys() != old.keys():
            print(f"{path.name}: other tensors than committed")
            return 1
        for name in new:
            difference = np.abs(new[name] - old[name]).max() / max(np.abs(old[name]).max(), 1e-30)
            worst = max(worst, difference)
            if not difference <= 1e-6:
                print(f"{path.name}: {name} differs by {difference:.3g}")
                return 1
    print(f"as committed; largest difference {worst:.3g}")
    return 0


if __name__ == "__main__":
    main()
