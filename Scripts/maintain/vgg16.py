"""Compares vidclass's VGG16 features with PyTorch's and Keras's: 224x224, the ImageNet weights.

    PYTHONPATH=Scripts python3 -m maintain.vgg16 [--weights FILE] [--frames N] [--test]

FILE is Keras's vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 (default: where vidclass looks for it). The script
computes the features of block5_pool, averaged over the map, of N frames made by a formula (`test_frames`), in PyTorch
in double precision and with Keras's own VGG16, asserts that the two agree, and writes them to
.build/vgg16_features.safetensors. With --test it then runs vidclass's own test on that file
(`VIDCLASS_REFERENCE_FEATURES`), which wants every feature within 1e-4 of the largest.

    PYTHONPATH=Scripts python3 -m maintain.vgg16 --write-golden

writes the features of two frames to Tests/VidModelTests/Goldens/vgg16_features.safetensors instead, for the same test
where neither PyTorch nor Keras is present.
"""

import os
import pathlib
import subprocess
import sys

from . import environment

FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


def main():
    parser = environment.parser(__doc__)
    parser.add_argument("--weights", type=pathlib.Path, help=FILE)
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--test", action="store_true", help="then run vidclass's test on the features")
    parser.add_argument("--write-golden", action="store_true", help="write the committed golden, of two frames")
    arguments = parser.parse_args()
    environment.enter(*environment.NETWORKS)

    import numpy as np

    from .goldens import golden

    weights = arguments.weights or find_weights()
    frames = test_frames(2 if arguments.write_golden else arguments.frames)
    features = torch_features(weights, frames)
    error = float(np.abs(keras_features(weights, frames) - features).max() / features.max())
    print(f"Keras's features differ from PyTorch's by {error:.2g} of the largest ({features.max():.2f})")
    assert error < 1e-5

    folder = "Tests/VidModelTests/Goldens" if arguments.write_golden else ".build"
    path = environment.REPOSITORY / folder / "vgg16_features.safetensors"
    path.parent.mkdir(exist_ok=True)
    tensors = {"features": features.astype(np.float32), "first_pixels": frames[:, 0, :8].astype(np.float32)}
    golden.save(path.parent, path.stem, tensors, {"versions": environment.installed(environment.NETWORKS), "weights": FILE}, limit=1 << 30)
    if arguments.test:
        variables = os.environ | {"VIDCLASS_REFERENCE_FEATURES": str(path), "VIDCLASS_VGG16_WEIGHTS": str(weights.resolve())}
        command = ["swift", "test", "-c", "release", "--filter", "VGG16FeaturesGoldenTests"]
        sys.exit(subprocess.run(command, cwd=environment.REPOSITORY, env=variables).returncode)


def find_weights():
    own = environment.cache() / "vidclass"
    folders = [pathlib.Path.home() / ".keras" / "models", own / "weights", own,
               environment.REPOSITORY.parent / "shared" / "weights"]
    for folder in folders:
        if (folder / FILE).exists():
            return folder / FILE
    sys.exit(f"error: no {FILE} in {', '.join(map(str, folders))}; name it with --weights")


def test_frames(count):
    """uint8 RGB frames (N, 224, 224, 3): waves of several widths with noise, in integers, so that
    VGG16FeaturesGoldenTests makes the same ones."""
    import numpy as np

    n, y, x, c = np.meshgrid(np.arange(count), np.arange(224), np.arange(224), np.arange(3), indexing="ij")

    def wave(k):
        return np.abs(k % 256 - 128) * 2 - 1 + (k % 256 == 128)

    noise = (x * 7919 + y * 104_729 + c * 1_299_709 + n * 15_485_863) // 8 % 64
    value = (wave(3 * x + 2 * (n + 1) * y + 40 * c) + wave(x * y // (16 + 8 * n) + 90 * c)) * 3 // 8 + noise
    return np.clip(value, 0, 255).astype(np.uint8)


def torch_features(weights, frames):
    """Features (N, 512) by PyTorch in double precision."""
    import numpy as np
    import torch

    from . import torch_network

    model = {"cnn": {"architecture": "vgg16", "pooling": "average"}}
    parameters = torch_network.read_weights(weights, model, torch.float64)
    x = torch.tensor(frames[..., ::-1].astype(np.float64) - [103.939, 116.779, 123.68])
    with torch.no_grad():
        return np.concatenate([torch_network.encode(frame[None], parameters, model).numpy() for frame in x])


def keras_features(weights, frames):
    """Features (N, 512) by Keras's own VGG16 and preprocessing, in single precision."""
    import keras
    import numpy as np

    keras.config.set_floatx("float32")
    network = keras.applications.VGG16(weights=str(weights), include_top=False, input_shape=(224, 224, 3), pooling="avg")
    return network.predict(keras.applications.vgg16.preprocess_input(frames.astype(np.float32)), verbose=0)


if __name__ == "__main__":
    main()
