"""Goldens of Keras's ResNet50 and MobileNetV2, as `networks` makes those of PyTorch's models.

The golden lists the tensors under the names `layer/kernel`, `layer/gamma` and so on, in the order of their shapes here: a depthwise kernel
is (rows, columns, channels).
"""

import numpy as np

from maintain import environment

from .golden import Golden
from .networks import FRAMES, SIZE, scaled, summary, values

PACKAGES = ("keras", "tensorflow-cpu", "safetensors", "numpy")


def weights(number, name, shape):
    """Kernels by He's rule, normalisations near one."""
    inputs = int(np.prod(shape[:3] if len(shape) == 4 else shape[:2])) if len(shape) > 2 else None
    return scaled(number, shape, inputs, is_variance=name.endswith("moving_variance"), is_scale=name.endswith("gamma"))


def network(name, model):
    import tensorflow as tf

    variables = {}
    for layer in model.layers:
        for variable in layer.weights:
            variables[f"{layer.name}/{'kernel' if 'kernel' in variable.name else variable.name}"] = variable
    shapes = {k: list(v.shape)[:3] if "depthwise/" in k else list(v.shape) for k, v in variables.items()}
    frames = values(100_000, FRAMES * 3 * SIZE[0] * SIZE[1]).astype(np.float64).reshape(FRAMES, 3, *SIZE).transpose(0, 2, 3, 1)
    golden = Golden(f"keras_{name}", seed=0)
    golden.notes["tensors"] = [[k, s] for k, s in shapes.items()]
    golden.notes["size"] = list(SIZE)
    moving = [k for k in variables if "/moving_" in k]
    for mode in ("frozen", "batch"):
        for number, (key, variable) in enumerate(variables.items()):
            variable.assign(weights(number, key, shapes[key]).astype(np.float64).reshape(variable.shape))
        with tf.GradientTape() as tape:
            output = tf.reduce_mean(model(tf.constant(frames), training=mode == "batch"), (1, 2))
            loss = tf.reduce_sum(output * values(100_001, int(np.prod(output.shape))).astype(np.float64).reshape(output.shape))
        trained = [k for k in variables if k not in moving]
        gradients = tape.gradient(loss, [variables[k].value for k in trained])
        golden.add(f"{mode}/features", output.numpy())
        golden.add(f"{mode}/gradients", summary([g.numpy() for g in gradients]))
        if mode == "batch":
            golden.add("batch/moving", summary([variables[k].numpy() for k in moving]))
    return golden


def write(folder):
    import keras

    keras.config.set_floatx("float64")
    for name, make in (("resnet50", keras.applications.ResNet50), ("mobilenet_v2", keras.applications.MobileNetV2)):
        model = make(weights=None, include_top=False, input_shape=(*SIZE, 3))
        network(name, model).save(folder, environment.installed(PACKAGES))
