"""Keras on TensorFlow: training steps of the head on cached features."""

import common
import keras
import keras_network
import numpy as np


def main():
    options = common.parse()
    keras_network.set_threads(options.threads)
    shape = (options.frames, common.HEAD_FEATURES)
    features = keras.Input(shape)
    model = keras_network.compiled(keras.Model(features, keras_network.head(features, options.classes)))
    batch = np.random.default_rng(1).uniform(-1, 1, (options.batch, *shape)).astype(np.float32)
    truth = np.eye(options.classes, dtype=np.float32)[np.arange(options.batch) % options.classes]
    common.measure(lambda: model.train_on_batch(batch, truth))


if __name__ == "__main__":
    main()
