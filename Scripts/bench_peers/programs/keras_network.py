"""The classifier in Keras, as its users write it: TimeDistributed(VGG16), LSTM, dense, softmax, Nadam.

Left at Keras's defaults. Tried on two cores: XLA (`jit_compile=True`) made VGG16 a quarter slower, forward and in training;
an unrolled LSTM changed the head's speed by less than the noise; a reshape in TimeDistributed's place saved 7 % of a step.
"""

import argparse

import keras
import tensorflow as tf


def set_threads(threads: int) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def vgg16(options: argparse.Namespace) -> keras.Model:
    """VGG16 without its top, with global average pooling; random unless --weights says otherwise."""
    return keras.applications.VGG16(weights=options.weights and str(options.weights), include_top=False, pooling="avg",
                                    input_shape=(options.size, options.size, 3))


def head(features, classes: int):
    """Probabilities from features (B, T, F)."""
    x = keras.layers.LSTM(256, recurrent_activation="hard_sigmoid")(features)
    x = keras.layers.Dense(1024, activation="relu")(x)
    return keras.layers.Dense(classes, activation="softmax")(x)


def classifier(options: argparse.Namespace, trainable: bool) -> keras.Model:
    """The compiled whole, on clips (B, T, rows, columns, 3)."""
    cnn = vgg16(options)
    cnn.trainable = trainable
    clips = keras.Input((options.frames, options.size, options.size, 3))
    return compiled(keras.Model(clips, head(keras.layers.TimeDistributed(cnn)(clips), options.classes)))


def compiled(model: keras.Model) -> keras.Model:
    optimizer = keras.optimizers.Nadam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["categorical_accuracy"])
    return model
