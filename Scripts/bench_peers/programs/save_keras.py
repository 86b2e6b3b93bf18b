"""Keras: saves an untrained classifier for predict_keras.py, without the optimiser's state."""

import common
import keras_network


def main():
    options = common.parse()
    keras_network.classifier(options, trainable=False).save(options.model, include_optimizer=False)
    common.answer({})


if __name__ == "__main__":
    main()
