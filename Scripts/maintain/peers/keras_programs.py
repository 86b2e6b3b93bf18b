"""Keras on TensorFlow: the classifier as its users run it, left at Keras's defaults.

The frame network of `encode` and `step` is the model that `vidclass export` writes. `step` has a reshape in TimeDistributed's place:
TimeDistributed runs the network on one frame of each clip after the other, so that batch normalizations would take the statistics of
these, not of all frames as elsewhere.

Tried on two cores: XLA (`jit_compile=True`) made VGG16 a quarter slower, forward and in training; an unrolled LSTM changed the
head's speed by less than the noise; the reshape saved 7 % of a step with VGG16.
"""

import time

import keras
import keras_from_checkpoint as network
import numpy as np
import tensorflow as tf
from maintain import clip

from . import programs


def set_threads(options):
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)


def classifier(options):
    """The compiled whole with a frozen VGG16, random unless --weights says otherwise, on clips (B, T, rows, columns, 3)."""
    set_threads(options)
    model, vgg16 = network.build(programs.classic(options), options.classes)
    if options.weights:
        vgg16.load_weights(str(options.weights))
    vgg16.trainable = False
    return compiled(model)


def compiled(model):
    optimizer = keras.optimizers.Nadam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["categorical_accuracy"])
    return model


def encoder(options):
    """The exported model, from frames (N, rows, columns, 3) to features (N, F)."""
    set_threads(options)
    exported = keras.models.load_model(options.encoder.with_suffix(".keras"), compile=False)
    # Without the preprocessing, which changes nothing.
    return keras.Model(exported.get_layer("preprocessing").output, exported.output)


def encode(options):
    """The frame network and pooling."""
    cnn = encoder(options)
    # A graph without `predict`'s loop around it: the fastest that Keras does.
    forward = tf.function(lambda frames: cnn(frames, training=False))
    frames = tf.random.uniform((options.frames, options.size, options.size, 3), -128, 128)
    programs.measure(lambda: forward(frames).numpy())


def measure_steps(start, features, options):
    """Training steps of the model from `start` to the head behind `features`, on a random batch."""
    model = compiled(keras.Model(start, network.head(features, programs.classic(options), options.classes)))
    inputs = np.random.default_rng(1).uniform(-1, 1, (options.batch, *model.input.shape[1:])).astype(np.float32)
    truth = np.eye(options.classes, dtype=np.float32)[np.arange(options.batch) % options.classes]
    programs.measure(lambda: model.train_on_batch(inputs, truth))


def step(options):
    """A whole training step, every layer trainable; batch normalizations take the statistics of all frames."""
    cnn = encoder(options)
    clips = keras.Input((options.frames, *cnn.input.shape[1:]))
    features = cnn(keras.ops.reshape(clips, (-1, *cnn.input.shape[1:])))
    measure_steps(clips, keras.ops.reshape(features, (-1, options.frames, features.shape[1])), options)


def head(options):
    """Training steps of the head on cached features."""
    set_threads(options)
    features = keras.Input((options.frames, programs.FEATURES))
    measure_steps(features, features, options)


class EpochTimes(keras.callbacks.Callback):
    """The seconds of each epoch, validation included."""

    def __init__(self):
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append(time.perf_counter() - self.start)


def frozen(options):
    """Training with VGG16 frozen, the program that people write for it. Prints each epoch's seconds."""
    training, held_out = [], []
    classes = sorted(folder for folder in options.data.iterdir() if folder.is_dir())
    for label, folder in enumerate(classes):
        paths = [(path, label) for path in sorted(folder.glob("*.bin"))]
        count = round(len(paths) * options.validation_split)
        held_out += paths[:count]
        training += paths[count:]
    options.classes = len(classes)
    model = classifier(options)
    times = EpochTimes()
    # All clips in memory as floats: reading costs Keras nothing after the start.
    x, y = load(training, len(classes))
    model.fit(x, y, batch_size=options.batch, epochs=options.epochs, validation_data=load(held_out, len(classes)), verbose=0,
              validation_batch_size=options.batch, callbacks=[times])
    programs.answer({"epochs": times.seconds, "training": len(training), "held_out": len(held_out)})


def load(paths, classes):
    clips = np.stack([clip.read(path, np.uint8) for path, _ in paths]).astype(np.float32)
    truth = np.eye(classes, dtype=np.float32)[[label for _, label in paths]]
    return keras.applications.vgg16.preprocess_input(clips), truth


def save(options):
    """Saves an untrained classifier for `predict`, without the optimiser's state."""
    classifier(options).save(options.model, include_optimizer=False)
    programs.answer({})


def predict(options):
    """Loads a classifier, reads a clip and predicts its class."""
    set_threads(options)
    model = keras.models.load_model(options.model, compile=False)
    frames = keras.applications.vgg16.preprocess_input(clip.read(options.clip, np.float32))
    programs.answer({"probabilities": model.predict(frames[None], verbose=0)[0].tolist()})


if __name__ == "__main__":
    programs.start({"encode": encode, "step": step, "head": head, "frozen": frozen, "save": save, "predict": predict})
