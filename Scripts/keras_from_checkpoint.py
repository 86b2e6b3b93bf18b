#!/usr/bin/env python3
"""Makes a Keras 3 model of a checkpoint, and shows that it gives vidclass's scores.

    pip install keras tensorflow safetensors
    python3 Scripts/keras_from_checkpoint.py CHECKPOINT [CLIP ...] [--output MODEL.keras] [--vidclass PROGRAM]

The model takes pixel values 0...255 of RGB frames, (clips, frames, rows, columns, channels), and gives the classes'
probabilities: the preprocessing is part of it. CLIPs are .bin files in the model's frame size; their scores are compared with
those of `vidclass predict --format json`, and the script ends with 1 where one differs by more than 1e-4. The model
written by --output needs this file's two registered objects (`import keras_from_checkpoint`) when it is loaded elsewhere.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
from safetensors import safe_open

from goldens import clip as clip_file

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TOLERANCE = 1e-4
VGG = {"vgg11": [1, 1, 2, 2, 2], "vgg13": [2, 2, 2, 2, 2], "vgg16": [2, 2, 3, 3, 3], "vgg19": [2, 2, 4, 4, 4]}
COLOURS = {"caffe": ([103.939, 116.779, 123.68], [1.0, 1.0, 1.0]), "torch": ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])}


@keras.saving.register_keras_serializable("vidclass")
def keras_1_hard_sigmoid(x):
    """Keras 3's own function of that name has another slope."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


@keras.saving.register_keras_serializable("vidclass")
class Preprocessing(keras.layers.Layer):
    """What `data.preprocessing` does to pixel values 0...255."""

    def __init__(self, rule, **options):
        super().__init__(**options)
        self.rule = rule

    def call(self, x):
        if self.rule not in COLOURS:
            return {"unit": x / 255.0, "symmetric": x / 127.5 - 1.0, "none": x}[self.rule]
        mean, deviation = COLOURS[self.rule]
        if x.shape[-1] != 3:  # no colours: the mean of the three
            mean, deviation = np.mean(mean), np.mean(deviation)
        elif self.rule == "caffe":
            x = keras.ops.flip(x, axis=-1)
        return (x - np.float32(mean)) / np.float32(deviation)

    def get_config(self):
        return super().get_config() | {"rule": self.rule}


def activation(name):
    return keras_1_hard_sigmoid if name == "hard_sigmoid" else name


def build(config, classes):
    """The model of a run's configuration, its layers named as the checkpoint's tensors are."""
    model, layers = config["model"], keras.layers
    size = model["input"]
    frame = keras.Input([size["rows"], size["columns"], size["channels"]])
    x = Preprocessing(config["data"]["preprocessing"], name="preprocessing")(frame)
    architecture = model["cnn"]["architecture"]
    if isinstance(architecture, str):
        blocks = [[filters] * count for filters, count in zip([64, 128, 256, 512, 512], VGG[architecture])]
    else:
        blocks = architecture["blocks"]
    for b, block in enumerate(blocks, 1):
        for c, filters in enumerate(block, 1):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{b}_conv{c}")(x)
        x = layers.MaxPooling2D(name=f"block{b}_pool")(x)
    pooling = {"average": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D, "flatten": layers.Flatten}
    cnn = keras.Model(frame, pooling[model["cnn"]["pooling"]]()(x), name="cnn")

    frames = keras.Input([size["frames"], *frame.shape[1:]], name="frames")
    x = layers.TimeDistributed(cnn, name="frame_by_frame")(frames)
    states = [i for i, layer in enumerate(model["recurrent"]) if layer["type"] != "batch_normalization"]
    for i, options in enumerate(model["recurrent"]):
        name = f"recurrent_{i}"
        if options["type"] == "batch_normalization":
            x = layers.BatchNormalization(momentum=options["momentum"], epsilon=options["epsilon"], name=name)(x)
            continue
        layer = {"lstm": layers.LSTM, "gru": layers.GRU}[options["type"]](
            options["units"], activation=activation(options["activation"]),
            recurrent_activation=activation(options["recurrent_activation"]), return_sequences=i != states[-1],
            dropout=options["dropout"], recurrent_dropout=options["recurrent_dropout"], name=name)
        x = (layers.Bidirectional(layer, name=name) if options["bidirectional"] else layer)(x)
    if not states:
        x = layers.GlobalAveragePooling1D(name="mean_over_time")(x)
    for i, options in enumerate(model["hidden"]):
        name = f"hidden_{i}"
        if options["type"] == "dense":
            x = layers.Dense(options["units"], activation=activation(options["activation"]), name=name)(x)
        elif options["type"] == "dropout":
            x = layers.Dropout(options["rate"], name=name)(x)
        elif options["type"] == "batch_normalization":
            x = layers.BatchNormalization(momentum=options["momentum"], epsilon=options["epsilon"], name=name)(x)
        else:
            sys.exit(f"error: model.hidden.{i}: no layer {options['type']} here; add it to this script")
    outputs = layers.Dense(len(classes), activation="softmax", name="output")(x)
    return keras.Model(frames, outputs, name="vidclass"), cnn


def load_weights(file, model, cnn):
    """Sets every weight from the checkpoint; its tensors have Keras's names, order of gates and layouts."""
    used = set()

    def take(layer, prefix, keys):
        names = [f"{prefix}/{key}" for key in keys]
        used.update(names)
        return [file.get_tensor(name) for name in names]

    for prefix, part in [("cnn/", cnn), ("", model)]:
        for layer in part.layers:
            if not layer.weights or isinstance(layer, keras.layers.TimeDistributed):
                continue
            if isinstance(layer, keras.layers.BatchNormalization):
                keys = ["gamma", "beta", "moving_mean", "moving_variance"]
            elif isinstance(layer, (keras.layers.LSTM, keras.layers.GRU, keras.layers.Bidirectional)):
                keys = ["kernel", "recurrent_kernel", "bias"]
            else:
                keys = ["kernel", "bias"]
            if isinstance(layer, keras.layers.Bidirectional):
                values = [value for way in ["forward", "backward"] for value in take(layer, f"{layer.name}/{way}", keys)]
            else:
                values = take(layer, prefix + layer.name, keys)
            layer.set_weights(values)
    left = {name for name in file.keys() if not name.startswith("optimizer/")} - used
    if left:
        sys.exit(f"error: tensors without a layer: {sorted(left)}")


def vidclass_scores(program, checkpoint, clips, classes):
    """For each clip, the scores in the order of the classes."""
    command = [program, "predict", *clips, "--checkpoint", checkpoint, "--top", str(len(classes)), "--format", "json"]
    documents = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    scores = [{entry["label"]: entry["score"] for entry in document["predictions"]} for document in documents]
    return np.array([[one[label] for label in classes] for one in scores])


def main():
    parser = argparse.ArgumentParser(description="Makes a Keras model of a checkpoint and compares its scores.")
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("clips", type=pathlib.Path, nargs="*")
    parser.add_argument("--output", type=pathlib.Path, help="where to save the Keras model, such as model.keras")
    parser.add_argument("--vidclass", type=pathlib.Path, default=REPOSITORY / ".build" / "release" / "vidclass")
    arguments = parser.parse_args()

    with safe_open(arguments.checkpoint, "numpy") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != "vidclass":
            sys.exit(f"error: {arguments.checkpoint}: no checkpoint of vidclass")
        config, classes = json.loads(metadata["config"]), json.loads(metadata["classes"])
        model, cnn = build(config, classes)
        load_weights(file, model, cnn)
    print(f"{model.count_params():,} parameters, classes {', '.join(classes)}")
    if arguments.output:
        model.save(arguments.output)
        print(f"wrote {arguments.output}")
    if not arguments.clips:
        return
    clips = []
    size = [config["model"]["input"][key] for key in ["rows", "columns", "channels"]]
    for path in arguments.clips:
        pixels = clip_file.read(path)
        if list(pixels.shape[1:]) != size:
            sys.exit(f"error: {path}: frames of {list(pixels.shape[1:])}, the model takes {size}; this script does not resize")
        pixels, mask = clip_file.select(pixels, config["model"]["input"]["frames"], config["data"]["short_clips"])
        if not mask.all():
            sys.exit(f"error: {path}: shorter than the model's frames, and data.short_clips is mask; take a longer one")
        clips.append(pixels.astype(np.float32))
    found = model.predict(np.stack(clips), batch_size=4, verbose=0)
    expected = vidclass_scores(arguments.vidclass, arguments.checkpoint, arguments.clips, classes)
    for path, keras_scores, scores in zip(arguments.clips, found, expected):
        print(f"{path}: Keras {classes[keras_scores.argmax()]} {keras_scores.max():.6f}, "
              f"vidclass {classes[scores.argmax()]} {scores.max():.6f}")
    difference = float(np.abs(found - expected).max())
    print(f"largest difference {difference:.2g}, allowed {TOLERANCE:.0e}")
    sys.exit(0 if difference <= TOLERANCE else 1)  # NaN must not pass


if __name__ == "__main__":
    main()
