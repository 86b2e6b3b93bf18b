"""Goldens of models of vectors over time: Keras's Normalization, adapted to training frames, before an LSTM or before Flatten."""

import keras
import numpy as np

from maintain import environment

from .golden import Golden

FRAMES, FEATURES, CLASSES, UNITS = 5, 6, 3, 4


def write(folder):
    for seed, kind in enumerate(["lstm", "flatten"], start=61):
        vectors(kind, seed).save(folder, environment.installed(["keras", "tensorflow-cpu"]))


def vectors(kind, seed):
    keras.config.set_floatx("float64")
    golden = Golden(f"vectors_{kind}", seed)
    # Features of different scales, far from zero.
    scale = np.array([1, 100, 0.01, 5, 1, 30], np.float32)
    shift = np.array([0, 1000, 3, -50, 0.5, 7], np.float32)
    training = golden.uniform(40, FEATURES) * scale + shift
    frames = golden.uniform(3, FRAMES, FEATURES) * scale + shift
    lengths = np.array([FRAMES, 2, 4])
    mask = (np.arange(FRAMES) < lengths[:, None]).astype(np.float32)
    normalization = keras.layers.Normalization(axis=-1)
    normalization.adapt(training.astype(np.float64))
    x = normalization(frames.astype(np.float64))
    parameters = {}
    if kind == "lstm":
        shapes = {"kernel": (FEATURES, 4 * UNITS), "recurrent_kernel": (UNITS, 4 * UNITS), "bias": (4 * UNITS,)}
        parameters = {f"recurrent_0/{name}": golden.uniform(*shape) * 0.5 for name, shape in shapes.items()}
        layer = keras.layers.LSTM(UNITS)
        layer.build((None, FRAMES, FEATURES))
        layer.set_weights(list(parameters.values()))
        x = layer(x)
    else:
        x = keras.layers.Flatten()(x * mask[:, :, None])
    width = x.shape[-1]
    output = {"output/kernel": golden.uniform(width, CLASSES), "output/bias": golden.uniform(CLASSES)}
    dense = keras.layers.Dense(CLASSES)
    dense.build((None, width))
    dense.set_weights(list(output.values()))
    logits = np.asarray(dense(x))
    golden.add("training", training)
    golden.add("frames", frames)
    if kind == "flatten":
        golden.add("mask", mask)
    golden.add("mean", np.asarray(normalization.mean).reshape(-1))
    golden.add("standard_deviation", np.sqrt(np.asarray(normalization.variance)).reshape(-1))
    for name, value in (parameters | output).items():
        golden.add(name, value)
    golden.add("logits", logits)
    return golden
