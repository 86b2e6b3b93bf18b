"""The whole classifier in Keras, from a config's `model` part and parameters under their names in a checkpoint."""

import keras
import numpy as np
import tensorflow as tf

from . import model as network
from .keras_check import keras_activation


def probabilities(frames, parameters, model, mask=None):
    """Softmax outputs (B, classes) for preprocessed frames (B, T, rows, columns, channels), in double precision."""

    def built(layer, x, name, keys):
        layer.build(x.shape)
        names = name if isinstance(name, list) else [name]
        layer.set_weights([np.asarray(parameters[f"{part}/{key}"]) for part in names for key in keys])
        return layer

    def normalized(x, name, options, mask=None):
        layer = keras.layers.BatchNormalization(
            momentum=options.get("momentum", 0.99), epsilon=options.get("epsilon", 1e-3))
        return built(layer, x, name, ["gamma", "beta", "moving_mean", "moving_variance"])(x, training=False, mask=mask)

    batch, steps = frames.shape[:2]
    x = tf.reshape(tf.constant(frames, tf.float64), (batch * steps, *frames.shape[2:]))
    step_mask = None if mask is None else tf.constant(np.asarray(mask) > 0)
    for b, block in enumerate(network.blocks(model)):
        for c, filters in enumerate(block):
            layer = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")
            x = built(layer, x, f"cnn/block{b + 1}_conv{c + 1}", ["kernel", "bias"])(x)
        x = keras.layers.MaxPooling2D()(x)
    pooling = {"average": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D,
               "flatten": keras.layers.Flatten}
    x = pooling[model["cnn"]["pooling"]]()(x)
    x = tf.reshape(x, (batch, steps, x.shape[-1]))

    recurrent = [i for i, layer in enumerate(model["recurrent"]) if layer["type"] != "batch_normalization"]
    for i, options in enumerate(model["recurrent"]):
        if options["type"] == "batch_normalization":
            x = normalized(x, f"recurrent_{i}", options, step_mask)
            continue
        kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[options["type"]]
        layer = kind(options["units"], activation=keras_activation(options.get("activation", "tanh")),
                     recurrent_activation=keras_activation(options.get("recurrent_activation", "hard_sigmoid")),
                     return_sequences=i != recurrent[-1], use_cudnn=False)
        if options.get("bidirectional"):
            layer = keras.layers.Bidirectional(layer)
        names = network.recurrent_names(i, options)
        x = built(layer, x, names, ["kernel", "recurrent_kernel", "bias"])(x, mask=step_mask)
    if not recurrent:
        x = keras.layers.GlobalAveragePooling1D()(x, mask=step_mask)
    for i, options in enumerate(model["hidden"]):
        if options["type"] == "batch_normalization":
            x = normalized(x, f"hidden_{i}", options)
        elif options["type"] == "dense":
            layer = keras.layers.Dense(options["units"], activation=keras_activation(options.get("activation", "relu")))
            x = built(layer, x, f"hidden_{i}", ["kernel", "bias"])(x)
    layer = keras.layers.Dense(parameters["output/bias"].shape[0], activation="softmax")
    return built(layer, x, "output", ["kernel", "bias"])(x).numpy()
