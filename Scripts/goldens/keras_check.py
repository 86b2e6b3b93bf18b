"""The same cases by Keras on TensorFlow, in double precision."""

import keras
import numpy as np
import tensorflow as tf

from .cases import check

keras.config.set_floatx("float64")


@keras.saving.register_keras_serializable("vidclass")
def keras_1_hard_sigmoid(x):
    """Not named `hard_sigmoid`: Bidirectional clones its layer by configuration, and would find Keras 3's."""
    return tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0)


def keras_activation(name):
    return keras_1_hard_sigmoid if name == "hard_sigmoid" else name


def layer(what, build, case, parameters=(), mask=None, **call):
    """Runs a Keras layer on a case's `input` and `parameters` and compares its output and gradients with the case's."""
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
    check(f"{what}/output", output, case["output"])
    for name, gradient in zip(["input", *parameters], gradients):
        check(f"{what}/d_{name}", tf.convert_to_tensor(gradient), case[f"d_{name}"])
    return built
