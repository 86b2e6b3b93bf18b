"""The same cases by Keras on TensorFlow, in double precision."""

import keras
import keras_from_checkpoint
import numpy as np
import tensorflow as tf

from .golden import check

keras.config.set_floatx("float64")


def probabilities(frames, parameters, model, mask=None):
    """Softmax outputs (B, classes) of the whole classifier for preprocessed frames (B, T, rows, columns, channels)."""
    network, cnn = keras_from_checkpoint.build(model, len(parameters["output/bias"]), is_masked=mask is not None,
                                               hard_sigmoid=keras_from_checkpoint.keras_1_hard_sigmoid)
    keras_from_checkpoint.load_weights(parameters, network, cnn)
    inputs = tf.constant(frames, tf.float64)
    return network(inputs if mask is None else [inputs, tf.constant(np.asarray(mask) > 0)], training=False).numpy()


def activation(name):
    """Keras's function of a name, but Keras 1's hard_sigmoid."""
    return keras_from_checkpoint.keras_1_hard_sigmoid if name == "hard_sigmoid" else name


def layer(what, build, case, parameters=(), mask=None, tolerance=1e-9, **call):
    """Runs a Keras layer on a case's `input` and `parameters` (those that learn first); compares output and gradients with the case's."""
    x = tf.constant(case["input"])
    if mask is not None:
        call["mask"] = tf.constant(np.asarray(mask) > 0)
    built = build()
    if parameters:
        built.build(x.shape)
        built.set_weights([case[name] for name in parameters])
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = built(x, **call)
        loss = tf.reduce_sum(output * tf.constant(case["d_output"]))
    weights = built.trainable_weights
    gradients = tape.gradient(loss, [x] + [weight.value for weight in weights])
    check(f"{what}/output", output, case["output"], tolerance)
    for name, gradient in zip(["input", *parameters], gradients):
        if f"d_{name}" not in case:  # zero but for rounding
            continue
        check(f"{what}/d_{name}", tf.convert_to_tensor(gradient), case[f"d_{name}"], tolerance)
    return built
