"""Keras on TensorFlow: a whole training step with VGG16 trainable."""

import common
import keras_network
import numpy as np


def main():
    options = common.parse()
    keras_network.set_threads(options.threads)
    model = keras_network.classifier(options, trainable=True)
    clips = np.random.default_rng(1).uniform(-1, 1, (options.batch, options.frames, options.size, options.size, 3)).astype(np.float32)
    truth = np.eye(options.classes, dtype=np.float32)[np.arange(options.batch) % options.classes]
    common.measure(lambda: model.train_on_batch(clips, truth))


if __name__ == "__main__":
    main()
