#!/usr/bin/env python3
"""Builds a Keras 3 model from a checkpoint and saves it.

    pip install keras tensorflow
    python3 keras_from_checkpoint.py CHECKPOINT --output MODEL.keras [CLIP ...] [--vidclass PROGRAM]

The model takes pixel values 0...255 of RGB frames, (clips, frames, rows, columns, channels), and gives the classes'
probabilities: the preprocessing is part of it. It has Keras's own layers alone, so `keras.models.load_model` needs nothing
else. This file needs no other file and can be copied anywhere.

CLIPs are .bin or .npy files in the model's frame size. The script prints their scores, and compares them with those of
`vidclass predict` if there is a vidclass; it ends with 1 where one differs by more than 1e-5.

Three things are not as in the checkpoint, and none of them changes a score: hard_sigmoid is Keras 1's, clip(0.2 x + 0.5), and
Keras 3's is clip(x / 6 + 0.5), so what it is applied to is made 1.2 times as large; the order of colours of `caffe` is that of
the first convolution's kernel; and preprocessing is a Rescaling. Keras 3 has no LSTM that `activation` "hard_sigmoid" could be
built from, and a model has no input for `short_clips` "mask": give it clips that are long enough.
"""

import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np

TOLERANCE = 1e-5
VGG = {"vgg11": [1, 1, 2, 2, 2], "vgg13": [2, 2, 2, 2, 2], "vgg16": [2, 2, 3, 3, 3], "vgg19": [2, 2, 4, 4, 4]}
# The mean and the deviation of red, green and blue.
COLOURS = {"caffe": ([123.68, 116.779, 103.939], [1.0, 1.0, 1.0]), "torch": ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
           "unit": (0.0, 255.0), "symmetric": (127.5, 127.5), "none": (0.0, 1.0)}
STEEPER = 1.2
NORMALIZATIONS = ("batch_normalization", "layer_normalization")
# Ends the Keras name of the normalization within an attention.
NORMALIZATION = "_layer_normalization"


@keras.saving.register_keras_serializable("vidclass")
def keras_1_hard_sigmoid(x):
    """Pass it to `build` for a model whose weights are the checkpoint's own, such as one that is to be trained."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def preprocessing_layer(rule, channels):
    mean, deviation = map(np.array, COLOURS[rule])
    if channels != 3:  # no colours: the mean of the three
        mean, deviation = mean.mean(), deviation.mean()
    return keras.layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist(), name="preprocessing")


def convolutions(model, preprocessing=None):
    """The CNN of a configuration's `model` section, from a frame to its features; the layers' names are the checkpoint's."""
    layers, size = keras.layers, model["input"]
    if size.get("features"):
        frame = keras.Input([size["features"]])
        standardization = layers.Normalization(name="normalization") if size.get("standardize", True) else layers.Identity()
        return keras.Model(frame, standardization(frame), name="frame")
    frame = keras.Input([size["rows"], size["columns"], size["channels"]])
    x = preprocessing_layer(preprocessing, size["channels"])(frame) if preprocessing else frame
    if model["cnn"] is None:
        if preprocessing == "caffe" and size["channels"] == 3:
            x = x[..., ::-1]  # with a CNN, `adapted` does this
        return keras.Model(frame, layers.Flatten()(x), name="frame")
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


def head(x, model, classes, mask=None, hard_sigmoid="hard_sigmoid"):
    """The probabilities from the features of a clip's frames; steps where `mask` is false do not count."""
    layers = keras.layers

    def activation(name):
        return hard_sigmoid if name == "hard_sigmoid" else name

    def normalized(x, name, options):
        epsilon = options.get("epsilon", 1e-3)
        if options["type"] == "layer_normalization":
            return layers.LayerNormalization(epsilon=epsilon, name=name)(x)
        return layers.BatchNormalization(momentum=options.get("momentum", 0.99), epsilon=epsilon, name=name)(x)

    over_time = [i for i, layer in enumerate(model["recurrent"]) if layer["type"] not in NORMALIZATIONS]
    final = over_time[-1] if over_time and model["recurrent"][over_time[-1]]["type"] in ("lstm", "gru") else None
    for i, options in enumerate(model["recurrent"]):
        name, kind = f"recurrent_{i}", options["type"]
        if kind in NORMALIZATIONS:
            x = normalized(x, name, options)
        elif kind == "conv1d":
            if mask is not None:  # steps that do not count are zeros
                x = x * keras.ops.expand_dims(keras.ops.cast(mask, x.dtype), -1)
            x = layers.Conv1D(
                options["filters"], options["kernel_size"], padding=options.get("padding", "same"),
                dilation_rate=options.get("dilation_rate", 1), activation=activation(options.get("activation", "linear")),
                use_bias=options.get("use_bias", True), name=name)(x)
        elif kind == "attention":
            heads = options["num_heads"]
            y = layers.MultiHeadAttention(
                heads, options.get("key_dim") or max(1, x.shape[-1] // heads), dropout=options.get("dropout", 0), name=name)(
                    x, x, attention_mask=None if mask is None else keras.ops.expand_dims(mask, 1),
                    use_causal_mask=options.get("use_causal_mask", False))
            x = layers.LayerNormalization(epsilon=1e-3, name=name + NORMALIZATION)(layers.Add()([x, y]))
        elif kind in ("lstm", "gru"):
            if kind == "lstm" and activation(options.get("activation")) == "hard_sigmoid":
                sys.exit(f'error: model.recurrent.{i}: Keras 3 has no LSTM for the activation "hard_sigmoid" of Keras 1')
            layer = {"lstm": layers.LSTM, "gru": layers.GRU}[kind](
                options["units"], activation=activation(options.get("activation", "tanh")),
                recurrent_activation=activation(options.get("recurrent_activation", "hard_sigmoid")), return_sequences=i != final,
                dropout=options.get("dropout", 0), recurrent_dropout=options.get("recurrent_dropout", 0), name=name)
            x = (layers.Bidirectional(layer, name=name) if options.get("bidirectional") else layer)(x, mask=mask)
        else:
            sys.exit(f"error: model.recurrent.{i}: no layer {kind} here; add it to this script")
    if final is None and model.get("pooling_over_time") == "flatten":
        x = layers.Flatten(name="flatten_over_time")(x if mask is None else x * keras.ops.cast(mask, x.dtype)[:, :, None])
    elif final is None:
        x = layers.GlobalAveragePooling1D(name="mean_over_time")(x, mask=mask)
    for i, options in enumerate(model["hidden"]):
        name = f"hidden_{i}"
        if options["type"] == "dense":
            x = layers.Dense(options["units"], activation=activation(options.get("activation", "relu")), name=name)(x)
        elif options["type"] == "dropout":
            x = layers.Dropout(options["rate"], name=name)(x)
        elif options["type"] in NORMALIZATIONS:
            x = normalized(x, name, options)
        else:
            sys.exit(f"error: model.hidden.{i}: no layer {options['type']} here; add it to this script")
    return layers.Dense(classes, activation="softmax", name="output")(x)


def build(model, classes, preprocessing=None, is_masked=False, hard_sigmoid="hard_sigmoid"):
    """The classifier on frames, and with `is_masked` on which of them count, too; and its CNN."""
    cnn = convolutions(model, preprocessing)
    frames = keras.Input([model["input"]["frames"], *cnn.input.shape[1:]], name="frames")
    mask = keras.Input([model["input"]["frames"]], dtype="bool", name="mask") if is_masked else None
    outputs = head(keras.layers.TimeDistributed(cnn, name="frame_by_frame")(frames), model, classes, mask, hard_sigmoid)
    return keras.Model([frames, mask] if is_masked else frames, outputs, name="vidclass"), cnn


def adapted(tensors, model, preprocessing=None):
    """The weights for the model with Keras 3's hard_sigmoid and, with `preprocessing`, with frames of RGB."""
    tensors = dict(tensors)
    if preprocessing == "caffe" and model["cnn"] and model["input"]["channels"] == 3:
        tensors["cnn/block1_conv1/kernel"] = tensors["cnn/block1_conv1/kernel"][:, :, ::-1]
    for section, default in [("recurrent", "tanh"), ("hidden", "relu")]:
        for i, options in enumerate(model[section]):
            names = [name for name in tensors if name.startswith(f"{section}_{i}/")]
            if options["type"] not in ("lstm", "gru"):
                steeper = [options["type"] in ("dense", "conv1d") and options.get("activation") == "hard_sigmoid"]
            else:
                gate, cell = (options.get(key, other) == "hard_sigmoid"
                              for key, other in [("recurrent_activation", "hard_sigmoid"), ("activation", default)])
                # Gates i, f, c, o and z, r, h.
                steeper = [gate, gate, cell, gate] if options["type"] == "lstm" else [gate, gate, cell]
            factors = np.where(steeper, STEEPER, 1.0)
            if (factors > 1).any():
                for name in names:
                    values = tensors[name]
                    tensors[name] = values * factors.repeat(values.shape[-1] // len(factors)).astype(values.dtype)
    return tensors


def load_weights(tensors, model, cnn):
    """Sets every weight from tensors that have the names of a checkpoint's."""
    used = set()

    def take(prefix, keys):
        names = [f"{prefix}/{key}" for key in keys]
        used.update(names)
        return [tensors[name] for name in names]

    for prefix, part in [("cnn/", cnn), ("", model)]:
        for layer in part.layers:
            if not layer.weights or isinstance(layer, keras.layers.TimeDistributed):
                continue
            if isinstance(layer, keras.layers.Normalization):
                mean, deviation = take("input", ["mean", "standard_deviation"])
                layer.set_weights([mean, deviation.astype(np.float64) ** 2, np.zeros(())])
                layer.finalize_state()
                continue
            if isinstance(layer, keras.layers.BatchNormalization):
                keys = ["gamma", "beta", "moving_mean", "moving_variance"]
            elif isinstance(layer, keras.layers.LayerNormalization):
                keys = ["gamma", "beta"]
            elif isinstance(layer, keras.layers.MultiHeadAttention):
                keys = [f"{part}/{key}" for part in ["query", "key", "value", "attention_output"] for key in ["kernel", "bias"]]
            elif isinstance(layer, (keras.layers.LSTM, keras.layers.GRU, keras.layers.Bidirectional)):
                keys = ["kernel", "recurrent_kernel", "bias"]
            else:
                keys = ["kernel", "bias"][:len(layer.weights)]
            ways = ["/forward", "/backward"] if isinstance(layer, keras.layers.Bidirectional) else [""]
            layer.set_weights([value for way in ways for value in take(prefix + layer.name.replace(NORMALIZATION, "/layer_normalization") + way, keys)])
    left = tensors.keys() - used
    if left:
        sys.exit(f"error: tensors without a layer: {sorted(left)}")


def read_checkpoint(path):
    """The parameters by name, the configuration and the classes' names, from a safetensors file."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        metadata = header.pop("__metadata__")
    except (ValueError, KeyError):
        metadata = {}
    if metadata.get("format") != "vidclass":
        sys.exit(f"error: {path}: expected a checkpoint of vidclass, such as runs/train/weights/best.safetensors")
    tensors = {}
    for name, entry in header.items():
        if not name.startswith(("optimizer/", "familiarity/")):
            first, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[start + first:start + end], "<f4").reshape(entry["shape"])
    return tensors, json.loads(metadata["config"]), json.loads(metadata["classes"])


def read_clip(path):
    """Pixel values (frames, rows, columns, channels), or vectors (frames, features), and frames per second, 0 where unknown, of a
    .bin or .npy file."""
    with open(path, "rb") as file:
        start = file.read(8)
    if start[:6] == b"\x93NUMPY":
        pixels, rate = np.load(path), 0.0
        if pixels.ndim == 2:
            return pixels.astype(np.float32), rate
        if pixels.ndim != 4 or pixels.dtype not in (np.uint8, np.float32):
            sys.exit(f"error: {path}: expected uint8 or float32 with 4 axes, found {pixels.dtype} with {pixels.ndim}")
        if pixels.shape[-1] in (1, 3) and pixels.shape[1] not in (1, 3):
            return pixels, rate
    elif start == bytes.fromhex("8956434c500d0a1a"):
        with open(path, "rb") as file:
            header = file.read(64)
            kind, shape, rate = header[10], struct.unpack_from("<4I", header, 12), struct.unpack_from("<f", header, 28)[0]
            pixels = np.frombuffer(file.read(), "<f4" if kind else "u1").reshape(shape)
    else:
        sys.exit(f"error: {path}: expected a .bin or .npy clip; vidclass pack makes .bin clips from videos")
    return pixels.transpose(0, 2, 3, 1), rate


def samples(path, config):
    """What the model sees of a clip: (samples, frames, rows, columns, channels), and a mask of ones for the steps that count.

    There are `evaluation.clips` samples; vidclass's score is the mean of theirs.
    """
    pixels, rate = read_clip(path)
    size, sampling, short_clips = config["model"]["input"], config["data"]["sampling"], config["data"]["short_clips"]
    expected = [size["features"]] if size.get("features") else [size[key] for key in ["rows", "columns", "channels"]]
    if list(pixels.shape[1:]) != expected:
        sys.exit(f"error: {path}: frames of {list(pixels.shape[1:])}, the model takes {expected}; this script does not resize")
    frames, count, number = size["frames"], len(pixels), config["evaluation"]["clips"]
    chosen, masks = [], []
    for sample in range(number):
        if sampling["type"] in ("uniform", "random"):
            indices = [(2 * (number * i + sample) + 1) * count // (2 * number * frames) for i in range(frames)]
            if count <= frames:
                indices = list(range(count))
        else:
            if sampling["type"] == "fps" and rate == 0:
                sys.exit(f"error: {path}: data.sampling.fps needs a clip with a frame rate")
            stride = sampling["stride"] if sampling["type"] == "consecutive" else rate / sampling["fps"] * (1 + 2**-23)
            offsets = [int(i * stride) for i in range(frames)]
            first = max(count - offsets[-1], 1) * (2 * sample + 1) // (2 * number)
            indices = [first + offset for offset in offsets if first + offset < count]
        found = len(indices)
        if found < frames and short_clips == "error":
            sys.exit(f"error: {path}: {count} frames are too few for the model's {frames}")
        indices += [indices[i % found if short_clips == "loop" else -1] for i in range(found, frames)]
        chosen.append(pixels[indices])
        masks.append([i < found or short_clips != "mask" for i in range(frames)])
    return np.stack(chosen).astype(np.float32), np.array(masks)


def vidclass_scores(program, checkpoint, clips, classes):
    """For each clip, the scores in the order of the classes."""
    command = [program, "predict", *clips, "--checkpoint", checkpoint, "--top", str(len(classes)), "--format", "json"]
    documents = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    scores = [{entry["label"]: entry["score"] for entry in document["predictions"]} for document in documents]
    return np.array([[one[label] for label in classes] for one in scores])


def find_vidclass():
    built = pathlib.Path(__file__).resolve().parent.parent / ".build" / "release" / "vidclass"
    return str(built) if built.exists() else shutil.which("vidclass")


def main():
    parser = argparse.ArgumentParser(description="Builds a Keras model from a checkpoint, saves it, and compares its scores.")
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("clips", type=pathlib.Path, nargs="*", help=".bin or .npy files in the model's frame size")
    parser.add_argument("--output", type=pathlib.Path, help="where to save the Keras model, such as model.keras")
    parser.add_argument("--vidclass", default=find_vidclass(), help="the program to compare with (default: the one built or installed)")
    arguments = parser.parse_args()

    tensors, config, classes = read_checkpoint(arguments.checkpoint)
    clips = []
    for path in arguments.clips:
        frames, mask = samples(path, config)
        if not mask.all():
            sys.exit(f"error: {path}: too short for the model's frames, and data.short_clips is mask; take a longer one")
        clips.append(frames)
    preprocessing = config["data"]["preprocessing"]
    model, cnn = build(config["model"], len(classes), preprocessing)
    load_weights(adapted(tensors, config["model"], preprocessing), model, cnn)
    print(f"{model.count_params():,} parameters, classes {', '.join(classes)}")
    if arguments.output:
        model.save(arguments.output)
        print(f"wrote {arguments.output}")
    if not clips:
        return
    found = np.array([model.predict(frames, batch_size=4, verbose=0).mean(0) for frames in clips])
    for path, scores in zip(arguments.clips, found):
        print(f"{path}: {classes[scores.argmax()]} {scores.max():.6f}")
    if not arguments.vidclass:
        print("no vidclass to compare with; name one with --vidclass")
        return
    expected = vidclass_scores(arguments.vidclass, arguments.checkpoint, arguments.clips, classes)
    difference = float(np.abs(found - expected).max())
    print(f"largest difference from vidclass {difference:.2g}, allowed {TOLERANCE:.0e}")
    sys.exit(0 if difference <= TOLERANCE else 1)  # NaN must not pass


if __name__ == "__main__":
    main()
