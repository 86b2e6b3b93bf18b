"""Keras on TensorFlow: trains the configuration's network once a seed."""

import keras
import nadam
import shared
import tensorflow as tf

POOLING = {"average": "avg", "max": "max", "flatten": None}


def main():
    options = shared.parse()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    model = options.config["model"]
    parts, classes = shared.parts(options)
    if not model["cnn"]["trainable"]:
        encode(options, parts)
    shared.answer([train(options, parts, classes, seed) for seed in range(1, options.seeds + 1)])


def encode(options, parts):
    """Features in the frames' place: the layers that make them never change."""
    if options.config["model"]["cnn"]["architecture"] != "vgg16":
        raise SystemExit("error: the frozen network must be vgg16")
    pooling = POOLING[options.config["model"]["cnn"]["pooling"]]
    shape = parts["train"].inputs.shape[2:]
    cnn = keras.applications.VGG16(weights=str(options.weights), include_top=False, pooling=pooling, input_shape=shape)
    for part in parts.values():
        features = cnn.predict(part.inputs.reshape(-1, *shape), verbose=0)
        part.inputs = features.reshape(*part.inputs.shape[:2], -1)


def train(options, parts, classes, seed):
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    training, network = options.config["training"], built(options.config["model"], parts["train"].inputs.shape[1:], classes)
    network.compile(optimizer(options), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    callback = Epochs(parts, training["epochs"])
    network.fit(parts["train"].inputs, parts["train"].truth, batch_size=training["batch_size"], epochs=training["epochs"],
                shuffle=True, callbacks=[callback], verbose=0)
    return callback.outcome


def built(model, shape, classes):
    """The network on frames, or on features where the CNN is frozen. What is not said is Keras's: the initialisers above all."""
    inputs = x = keras.Input(shape)
    if model["cnn"]["trainable"]:
        cnn = keras.Sequential()
        for block in model["cnn"]["architecture"]["blocks"]:
            for filters in block:
                cnn.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
            cnn.add(keras.layers.MaxPooling2D())
        cnn.add({"average": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D,
                 "flatten": keras.layers.Flatten}[model["cnn"]["pooling"]]())
        x = keras.layers.TimeDistributed(cnn)(x)
    for i, layer in enumerate(model["recurrent"]):
        x = keras.layers.LSTM(layer["units"], activation=layer["activation"], recurrent_activation=gate(layer["recurrent_activation"]),
                              return_sequences=i < len(model["recurrent"]) - 1)(x)
    for layer in model["hidden"]:
        x = keras.layers.Dense(layer["units"], activation=layer["activation"])(x)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x))


def gate(name):
    return keras_1_hard_sigmoid if name == "hard_sigmoid" else name


def keras_1_hard_sigmoid(x):
    """Keras 3's hard sigmoid has a slope of 1/6."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def optimizer(options):
    settings = options.config["optimizer"]
    common = dict(learning_rate=settings["learning_rate"], beta_1=settings["beta_1"], beta_2=settings["beta_2"], epsilon=settings["epsilon"])
    if options.nadam == "keras-3":
        return keras.optimizers.Nadam(**common)
    return nadam.Keras1Nadam(settings["schedule_decay"], **common)


class Epochs(keras.callbacks.Callback):
    """Scores the held-out parts after each epoch."""

    def __init__(self, parts, epochs):
        super().__init__()
        self.parts = parts
        self.outcome = shared.Outcome(epochs)

    def on_train_begin(self, logs=None):
        self.predict = tf.function(lambda inputs: self.model(inputs, training=False))

    def on_epoch_end(self, epoch, logs=None):
        self.outcome.note(logs["loss"], self.score("val"), lambda: self.score("test"))

    def score(self, name):
        part = self.parts[name]
        probabilities = self.predict(tf.constant(part.inputs))
        loss = keras.losses.sparse_categorical_crossentropy(part.truth, probabilities)
        return (probabilities.numpy().argmax(-1) == part.truth).mean(), loss.numpy().mean()


if __name__ == "__main__":
    main()
