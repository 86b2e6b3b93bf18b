#!/usr/bin/env python3
"""Builds a Keras 3 model from a checkpoint, and shows that it gives vidclass's scores.

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

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TOLERANCE = 1e-4
VGG = {"vgg11": [1, 1, 2, 2, 2], "vgg13": [2, 2, 2, 2, 2], "vgg16": [2, 2, 3, 3, 3], "vgg19": [2, 2, 4, 4, 4]}
COLOURS = {"caffe": ([103.939, 116.779, 123.68], [1.0, 1.0, 1.0]), "torch": ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])}


@keras.saving.register_keras_serializable("vidclass")
def keras_1_hard_sigmoid(x):
    """Keras 1's: Keras 3's own `hard_sigmoid` has another slope, so this has another name."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


@keras.saving.register_keras_serializable("vidclass")
class Preprocessing(keras.layers.Layer):
    """Preprocesses pixel values 0...255 as `data.preprocessing` says."""

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


def convolutions(model, preprocessing=None):
    """The CNN of a configuration's `model` section, from a frame to its features; the layers' names are the checkpoint's."""
    layers, size = keras.layers, model["input"]
    frame = keras.Input([size["rows"], size["columns"], size["channels"]])
    x = Preprocessing(preprocessing, name="preprocessing")(frame) if preprocessing else frame
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
    return keras.Model(frame, pooling[model["cnn"]["pooling"]]()(x), name="cnn")


def head(x, model, classes, mask=None):
    """The probabilities from the features of a clip's frames; steps where `mask` is false do not count."""
    layers = keras.layers

    def normalized(x, name, options):
        return layers.BatchNormalization(momentum=options.get("momentum", 0.99), epsilon=options.get("epsilon", 1e-3), name=name)(x)

    stateful = [i for i, layer in enumerate(model["recurrent"]) if layer["type"] != "batch_normalization"]
    for i, options in enumerate(model["recurrent"]):
        name = f"recurrent_{i}"
        if options["type"] == "batch_normalization":
            x = normalized(x, name, options)
            continue
        layer = {"lstm": layers.LSTM, "gru": layers.GRU}[options["type"]](
            options["units"], activation=activation(options.get("activation", "tanh")),
            recurrent_activation=activation(options.get("recurrent_activation", "hard_sigmoid")), return_sequences=i != stateful[-1],
            dropout=options.get("dropout", 0), recurrent_dropout=options.get("recurrent_dropout", 0), name=name)
        x = (layers.Bidirectional(layer, name=name) if options.get("bidirectional") else layer)(x, mask=mask)
    if not stateful:
        x = layers.GlobalAveragePooling1D(name="mean_over_time")(x, mask=mask)
    for i, options in enumerate(model["hidden"]):
        name = f"hidden_{i}"
        if options["type"] == "dense":
            x = layers.Dense(options["units"], activation=activation(options.get("activation", "relu")), name=name)(x)
        elif options["type"] == "dropout":
            x = layers.Dropout(options["rate"], name=name)(x)
        elif options["type"] == "batch_normalization":
            x = normalized(x, name, options)
        else:
            sys.exit(f"error: model.hidden.{i}: no layer {options['type']} here; add it to this script")
    return layers.Dense(classes, activation="softmax", name="output")(x)


def build(model, classes, preprocessing=None, is_masked=False):
    """The classifier on frames, and with `is_masked` on which of them count, too; and its CNN."""
    cnn = convolutions(model, preprocessing)
    frames = keras.Input([model["input"]["frames"], *cnn.input.shape[1:]], name="frames")
    mask = keras.Input([model["input"]["frames"]], dtype="bool", name="mask") if is_masked else None
    outputs = head(keras.layers.TimeDistributed(cnn, name="frame_by_frame")(frames), model, classes, mask)
    return keras.Model([frames, mask] if is_masked else frames, outputs, name="vidclass"), cnn


def load_weights(tensors, model, cnn):
    """Sets every weight from a checkpoint's tensors, which have Keras's names, order of gates and layouts."""
    used = set()

    def take(prefix, keys):
        names = [f"{prefix}/{key}" for key in keys]
        used.update(names)
        return [tensors[name] for name in names]

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
            ways = ["/forward", "/backward"] if isinstance(layer, keras.layers.Bidirectional) else [""]
            layer.set_weights([value for way in ways for value in take(f"{prefix}{layer.name}{way}", keys)])
    left = tensors.keys() - used
    if left:
        sys.exit(f"error: tensors without a layer: {sorted(left)}")


def read_checkpoint(path):
    """The parameters by name, the configuration and the classes' names."""
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != "vidclass":
            sys.exit(f"error: {path}: not a checkpoint of vidclass")
        tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith(("optimizer/", "familiarity/"))}
    return tensors, json.loads(metadata["config"]), json.loads(metadata["classes"])


def read_clip(path, config):
    """Pixel values 0...255 of the frames that the model takes, and a mask of ones for the steps that count."""
    from maintain import clip

    size = config["model"]["input"]
    pixels, expected = clip.read(path), [size[key] for key in ["rows", "columns", "channels"]]
    if list(pixels.shape[1:]) != expected:
        sys.exit(f"error: {path}: frames of {list(pixels.shape[1:])}, the model takes {expected}; this script does not resize")
    return clip.select(pixels, size["frames"], config["data"]["short_clips"])


def vidclass_scores(program, checkpoint, clips, classes):
    """For each clip, the scores in the order of the classes."""
    command = [program, "predict", *clips, "--checkpoint", checkpoint, "--top", str(len(classes)), "--format", "json"]
    documents = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    scores = [{entry["label"]: entry["score"] for entry in document["predictions"]} for document in documents]
    return np.array([[one[label] for label in classes] for one in scores])


def main():
    parser = argparse.ArgumentParser(description="Builds a Keras model from a checkpoint and compares its scores.")
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("clips", type=pathlib.Path, nargs="*")
    parser.add_argument("--output", type=pathlib.Path, help="where to save the Keras model, such as model.keras")
    parser.add_argument("--vidclass", type=pathlib.Path, default=REPOSITORY / ".build" / "release" / "vidclass")
    arguments = parser.parse_args()

    tensors, config, classes = read_checkpoint(arguments.checkpoint)
    model, cnn = build(config["model"], len(classes), config["data"]["preprocessing"])
    load_weights(tensors, model, cnn)
    print(f"{model.count_params():,} parameters, classes {', '.join(classes)}")
    if arguments.output:
        model.save(arguments.output)
        print(f"wrote {arguments.output}")
    if not arguments.clips:
        return
    clips = []
    for path in arguments.clips:
        pixels, mask = read_clip(path, config)
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
