"""Keras on TensorFlow: loads a classifier, reads a clip and says what is in it."""

import clip
import common
import keras
import keras_network
import numpy as np


def main():
    options = common.parse()
    keras_network.set_threads(options.threads)
    model = keras.models.load_model(options.model, compile=False)
    frames = keras.applications.vgg16.preprocess_input(clip.read(options.clip).astype(np.float32))
    common.answer({"probabilities": model.predict(frames[None], verbose=0)[0].tolist()})


if __name__ == "__main__":
    main()
