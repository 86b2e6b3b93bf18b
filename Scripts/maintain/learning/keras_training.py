"""Keras on TensorFlow: trains the configuration's network once a seed."""

import keras
import keras_from_checkpoint as network
import tensorflow as tf
from keras import ops

from . import programs


def main():
    options = programs.parse()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    model = options.config["model"]
    splits, classes = programs.splits(options)
    if not model["cnn"]["trainable"]:
        encode(options, splits)
    programs.answer([train(options, splits, classes, seed) for seed in range(1, options.seeds + 1)])


def encode(options, splits):
    """Replaces the frames by their features: the layers that make them never change."""
    shape = splits["train"].inputs.shape[2:]
    cnn = network.convolutions(options.config["model"])
    cnn.load_weights(str(options.weights))
    for split in splits.values():
        features = cnn.predict(split.inputs.reshape(-1, *shape), verbose=0)
        split.inputs = features.reshape(*split.inputs.shape[:2], -1)


def train(options, splits, classes, seed):
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    training, model = options.config["training"], built(options.config["model"], splits["train"].inputs.shape[1:], classes)
    model.compile(optimizer(options), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    callback = Epochs(splits, training["epochs"])
    model.fit(splits["train"].inputs, splits["train"].truth, batch_size=training["batch_size"], epochs=training["epochs"],
                shuffle=True, callbacks=[callback], verbose=0)
    return callback.outcome


def built(model, shape, classes):
    """The network on frames, or on features where the CNN is frozen, with Keras's own initialisers."""
    if model["cnn"]["trainable"]:
        return network.build(model, classes, hard_sigmoid=network.keras_1_hard_sigmoid)[0]
    features = keras.Input(shape)
    return keras.Model(features, network.head(features, model, classes, hard_sigmoid=network.keras_1_hard_sigmoid))


def optimizer(options):
    settings = options.config["optimizer"]
    common = dict(learning_rate=settings["learning_rate"], beta_1=settings["beta_1"], beta_2=settings["beta_2"], epsilon=settings["epsilon"])
    if options.nadam == "keras-3":
        return keras.optimizers.Nadam(**common)
    return Keras1Nadam(settings["schedule_decay"], **common)


class Keras1Nadam(keras.optimizers.Nadam):
    """Nadam whose momentum is beta_1 (1 - 0.5 x 0.96^(t x schedule_decay)).

    Keras 3 has no schedule_decay, as if it were 1: its momentum goes from 0.47 to 0.9 within a hundred steps, where with
    Keras 1's 0.004 it stays near 0.45 for thousands.
    """

    def __init__(self, schedule_decay, **options):
        super().__init__(**options)
        self.schedule_decay = schedule_decay

    def momentum(self, step):
        return self.beta_1 * (1.0 - 0.5 * ops.power(0.96, ops.cast(step, "float32") * self.schedule_decay))

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        self.assign(self._u_product, self._u_product * self.momentum(self.iterations + 1))
        # Past Nadam's own, which would multiply its product by its own momentum.
        super(keras.optimizers.Nadam, self)._backend_update_step(grads, trainable_variables, learning_rate)

    def update_step(self, gradient, variable, learning_rate):
        now, following = self.momentum(self.iterations + 1), self.momentum(self.iterations + 2)
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        self.assign(m, self.beta_1 * m + (1 - self.beta_1) * gradient)
        self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        step = (1 - now) * gradient / (1 - self._u_product) + following * m / (1 - self._u_product * following)
        v_hat = v / (1 - ops.power(self.beta_2, ops.cast(self.iterations + 1, "float32")))
        self.assign_sub(variable, learning_rate * step / (ops.sqrt(v_hat) + self.epsilon))


class Epochs(keras.callbacks.Callback):
    """Scores the held-out splits after each epoch."""

    def __init__(self, splits, epochs):
        super().__init__()
        self.splits = splits
        self.outcome = programs.Outcome(epochs)

    def on_train_begin(self, logs=None):
        self.predict = tf.function(lambda inputs: self.model(inputs, training=False))

    def on_epoch_end(self, epoch, logs=None):
        self.outcome.note(logs["loss"], self.score("val"), lambda: self.score("test"))

    def score(self, name):
        split = self.splits[name]
        probabilities = self.predict(tf.constant(split.inputs))
        loss = keras.losses.sparse_categorical_crossentropy(split.truth, probabilities)
        return (probabilities.numpy().argmax(-1) == split.truth).mean(), loss.numpy().mean()


if __name__ == "__main__":
    main()
