"""Keras on TensorFlow: training with VGG16 frozen, the program that people write for it. Prints each epoch's seconds."""

import time

import clip
import common
import keras
import keras_network
import numpy as np


class EpochTimes(keras.callbacks.Callback):
    """The seconds of each epoch, validation included."""

    def __init__(self):
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def main():
    options = common.parse()
    keras_network.set_threads(options.threads)
    training, held_out = [], []
    classes = sorted(folder for folder in options.data.iterdir() if folder.is_dir())
    for label, folder in enumerate(classes):
        paths = [(path, label) for path in sorted(folder.glob("*.bin"))]
        count = round(len(paths) * options.validation_split)
        held_out += paths[:count]
        training += paths[count:]
    options.classes = len(classes)
    model = keras_network.classifier(options, trainable=False)
    times = EpochTimes()
    # All clips in memory as floats: reading costs Keras nothing after the start.
    x, y = load(training, len(classes))
    model.fit(x, y, batch_size=options.batch, epochs=options.epochs, validation_data=load(held_out, len(classes)), verbose=0,
              validation_batch_size=options.batch, callbacks=[times])
    common.answer({"epochs": times.seconds, "training": len(training), "held_out": len(held_out)})


def load(paths: list, classes: int) -> tuple[np.ndarray, np.ndarray]:
    clips = np.stack([clip.read(path) for path, _ in paths]).astype(np.float32)
    truth = np.eye(classes, dtype=np.float32)[[label for _, label in paths]]
    return keras.applications.vgg16.preprocess_input(clips), truth


if __name__ == "__main__":
    main()
