"""Keras on TensorFlow: VGG16 and pooling over frames."""

import common
import keras_network
import tensorflow as tf


def main():
    options = common.parse()
    keras_network.set_threads(options.threads)
    cnn = keras_network.vgg16(options)
    # A graph without `predict`'s loop around it: the fastest that Keras does.
    encode = tf.function(lambda frames: cnn(frames, training=False))
    frames = tf.random.uniform((options.frames, options.size, options.size, 3), -128, 128)
    common.measure(lambda: encode(frames).numpy())


if __name__ == "__main__":
    main()
