"""Imports Keras's ResNet50 and MobileNetV2 from every layout of its files, and compares tensors and scores.

    PYTHONPATH=Scripts python3 -m maintain.keras_networks [--vidclass PROGRAM]

The models have random weights and random statistics of their batch normalisations. They are saved, with and without their
classifiers, as `.weights.h5`, as `.h5` of the whole model, and in the layout of the official files. Each file is imported by
`vidclass weights import`, and every tensor must have Keras's bits. Then a classifier of clips is trained on top of the frozen
network, and its scores must be those that Keras's features give, within 1e-4.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from . import environment

SIZE, FRAMES, CLASSES, TOLERANCE = 96, 3, 4, 1e-4


def main():
    parser = environment.parser(__doc__)
    environment.add_program(parser)
    arguments = parser.parse_args()
    environment.enter(*environment.NETWORKS)
    import keras

    applications = keras.applications
    worst = 0.0
    for name, make, preprocess in (
        ("resnet50_keras", applications.ResNet50, applications.resnet50.preprocess_input),
        ("mobilenet_v2_keras", applications.MobileNetV2, applications.mobilenet_v2.preprocess_input),
    ):
        for has_top in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                shape = (224, 224, 3) if has_top else (SIZE, SIZE, 3)
                model = randomised(make(weights=None, include_top=has_top, input_shape=shape))
                box = Box(arguments.vidclass, pathlib.Path(folder))
                for file in save(model, box.path):
                    compare(box.imported(name, file), model, file)
                    print(f"{name}: {file} has {'a classifier' if has_top else 'no classifier'}; its tensors have Keras's bits")
                if not has_top:
                    error = box.scores(name, lambda frames: model.predict(preprocess(frames), verbose=0).mean(axis=(1, 2)))
                    print(f"{name}: scores differ by {error:.2g}")
                    worst = max(worst, error)
    # NaN must fail.
    sys.exit(0 if worst <= TOLERANCE else 1)


def randomised(model):
    """The model with random scales and statistics of its batch normalisations, such that features are neither tiny nor huge."""
    import keras
    import numpy as np

    random = np.random.default_rng(5)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.get_weights()[0].shape
            scale = (0.1, 0.4) if layer.name.startswith("conv") else (0.5, 1.5)
            layer.set_weights([random.uniform(*range, shape) for range in (scale, (-0.5, 0.5), (-0.5, 0.5), (0.5, 1.5))])
    return model


def save(model, folder):
    """Saves the model in each layout; returns the names of the files."""
    import h5py
    from keras.src.legacy.saving import legacy_h5_format

    model.save_weights(folder / "x.weights.h5")
    model.save(folder / "whole.h5")
    # Keras 2's `save_weights("official.h5")`.
    with h5py.File(folder / "official.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return "x.weights.h5", "whole.h5", "official.h5"


def compare(tensors, model, file):
    """Asserts that the imported tensors are those of the model's layers."""
    import numpy as np

    names = ("beta", "gamma", "moving_mean", "moving_variance", "bias")
    seen = set()
    for layer in model.layers:
        for variable in layer.weights:
            key = f"{layer.name}/{variable.name if variable.name in names else 'kernel'}"
            if layer.name == "predictions":
                continue
            value = variable.numpy()
            assert np.array_equal(tensors[key].reshape(value.shape), value), f"{file}: {key} differs"
            seen.add(key)
    assert seen == set(tensors), f"{file}: also {sorted(set(tensors) - seen)[:4]}"


class Box:
    """A folder with its own cache."""

    def __init__(self, vidclass, path):
        self.vidclass, self.path = vidclass, path

    def run(self, *words):
        done = subprocess.run([self.vidclass, *words], cwd=self.path, env=os.environ | {"XDG_CACHE_HOME": str(self.path / "cache")},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def imported(self, name, file):
        """The tensors of the import."""
        import safetensors.numpy

        self.run("weights", "import", file, "--replace", "--name", "keras")
        return safetensors.numpy.load_file(self.path / "cache" / "vidclass" / "weights" / f"{name}-keras.safetensors")

    def scores(self, name, features):
        """Trains on random clips; returns the largest difference between the scores and those that `features` of float frames (N, rows,
        columns, 3) and the trained dense layer give."""
        import numpy as np
        import safetensors.numpy

        random = np.random.default_rng(7)
        clips = random.integers(0, 256, (2 * CLASSES, FRAMES, SIZE, SIZE, 3), dtype=np.uint8)
        for number, clip in enumerate(clips):
            folder = self.path / "data" / f"class{number % CLASSES}"
            folder.mkdir(parents=True, exist_ok=True)
            np.save(folder / f"{number}.npy", clip)
        preprocessing = "caffe" if name == "resnet50_keras" else "symmetric"
        config = {
            "model": {"input": {"frames": FRAMES, "rows": SIZE, "columns": SIZE}, "cnn": {"architecture": name, "weights": "keras"},
                      "recurrent": [], "hidden": []},
            "data": {"path": "data", "validation_split": 0, "preprocessing": preprocessing},
            "training": {"epochs": 3}, "optimizer": {"type": "sgd", "learning_rate": 0.05}, "output": {"tensorboard": False},
        }
        (self.path / "config.json").write_text(json.dumps(config))
        self.run("train", "--config", "config.json", "--quiet")
        best = "runs/train/weights/best.safetensors"
        output = safetensors.numpy.load_file(self.path / best)
        files = sorted(map(str, (self.path / "data").rglob("*.npy")))
        found = json.loads(self.run("predict", *files, "--checkpoint", best, "--format", "json", "--top", str(CLASSES)))
        worst = 0.0
        for file, result in zip(files, found):
            frames = np.load(file).astype(np.float32)
            logits = features(frames).mean(axis=0) @ output["output/kernel"] + output["output/bias"]
            expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
            scores = {entry["label"]: entry["score"] for entry in result["predictions"]}
            assert max(expected) < 0.99, f"the scores are saturated: {expected}"
            worst = max([worst] + [abs(scores[f"class{k}"] - expected[k]) for k in range(CLASSES)], key=lambda e: (e != e, e))
        return float(worst)


if __name__ == "__main__":
    main()
