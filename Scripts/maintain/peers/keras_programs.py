"""Keras on TensorFlow: the classifier as its users run it, left at Keras's defaults.

Tried on two cores: XLA (`jit_compile=True`) made VGG16 a quarter slower, forward and in training; an unrolled LSTM changed the
head's speed by less than the noise; a reshape in TimeDistributed's place saved 7 % of a step.
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


def with_weights(vgg16, options):
    """The CNN, random unless --weights says otherwise."""
    if options.weights:
        vgg16.load_weights(str(options.weights))
    return vgg16


def classifier(options, trainable):
    """The compiled whole, on clips (B, T, rows, columns, 3)."""
    set_threads(options)
    model, vgg16 = network.build(programs.classic(options), options.classes)
    with_weights(vgg16, options).trainable = trainable
    return compiled(model)


def compiled(model):
    optimizer = keras.optimizers.Nadam(learning_rate=0.002, beta_1=0.9, beta_2=0.999, epsilon=1e-8)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["categorical_accuracy"])
    return model


def encode(options):
    """VGG16 and pooling over frames."""
    set_threads(options)
    vgg16 = with_weights(network.convolutions(programs.classic(options)), options)
    # A graph without `predict`'s loop around it: the fastest that Keras does.
    forward = tf.function(lambda frames: vgg16(frames, training=False))
    frames = tf.random.uniform((options.frames, options.size, options.size, 3), -128, 128)
    programs.measure(lambda: forward(frames).numpy())


def measure_steps(model, options):
    """Training steps on a random batch of the model's inputs."""
    inputs = np.random.default_rng(1).uniform(-1, 1, (options.batch, *model.input.shape[1:])).astype(np.float32)
    truth = np.eye(options.classes, dtype=np.float32)[np.arange(options.batch) % options.classes]
    programs.measure(lambda: model.train_on_batch(inputs, truth))


def step(options):
    """A whole training step with VGG16 trainable."""
    measure_steps(classifier(options, trainable=True), options)


def head(options):
    """Training steps of the head on cached features."""
    set_threads(options)
    features = keras.Input((options.frames, programs.FEATURES))
    measure_steps(compiled(keras.Model(features, network.head(features, programs.classic(options), options.classes))), options)


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
    model = classifier(options, trainable=False)
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
    classifier(options, trainable=False).save(options.model, include_optimizer=False)
    programs.answer({})


def predict(options):
    """Loads a classifier, reads a clip and predicts its class."""
    set_threads(options)
    model = keras.models.load_model(options.model, compile=False)
    frames = keras.applications.vgg16.preprocess_input(clip.read(options.clip, np.float32))
    programs.answer({"probabilities": model.predict(frames[None], verbose=0)[0].tolist()})


if __name__ == "__main__":
    programs.start({"encode": encode, "step": step, "head": head, "frozen": frozen, "save": save, "predict": predict})
