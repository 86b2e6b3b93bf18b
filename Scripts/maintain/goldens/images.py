"""Goldens of the layers over images: convolution and pooling."""

import keras
import numpy as np

from maintain import torch_network as reference

from . import keras_check
from .golden import Golden, away_from


def convolution():
    golden = Golden("convolution", seed=11)
    # name, input (N, rows, columns, channels), kernel (rows, columns), filters, stride, padding, activation
    cases = [
        ("same_3x3_relu", (2, 7, 6, 5), (3, 3), 4, (1, 1), "same", "relu"),
        ("same_3x3_relu_wide", (1, 9, 11, 18), (3, 3), 33, (1, 1), "same", "relu"),
        ("same_3x3_pixel", (2, 1, 1, 3), (3, 3), 17, (1, 1), "same", "relu"),
        ("valid_5x3", (2, 9, 8, 3), (5, 3), 4, (1, 1), "valid", "linear"),
        ("valid_5x3_stride_2", (2, 10, 9, 3), (5, 3), 4, (2, 2), "valid", "linear"),
        # Even extents with stride 2: TensorFlow pads one row or column more after than before.
        ("same_5x3_stride_2", (2, 10, 8, 3), (5, 3), 4, (2, 2), "same", "linear"),
        ("same_2x4_stride_1x3", (1, 7, 11, 2), (2, 4), 5, (1, 3), "same", "linear"),
        ("same_1x1_stride_2", (2, 5, 6, 7), (1, 1), 3, (2, 2), "same", "relu"),
    ]
    for name, shape, kernel, filters, stride, padding, activation in cases:
        tensors = {
            "input": golden.uniform(*shape),
            "kernel": golden.uniform(*kernel, shape[-1], filters, low=-0.4, high=0.4),
            "bias": golden.uniform(filters),
        }
        case = golden.layer(
            name, lambda x, k, b: reference.convolution(x, k, b, stride, padding, activation), tensors)
        if activation == "relu":
            positive = case["output"][case["output"] > 0]
            away_from(name, positive, [0])
        keras_check.layer(
            name,
            lambda: keras.layers.Conv2D(filters, kernel, strides=stride, padding=padding, activation=activation),
            case, ["kernel", "bias"])
    return golden


def pooling():
    golden = Golden("pooling", seed=12)
    # Odd extents: the last row and column take no part.
    shapes = {"max_2x2": (2, 8, 6, 5), "max_2x2_odd": (2, 7, 5, 19), "max_2x2_small": (1, 2, 3, 33)}
    for name, shape in shapes.items():
        # A permutation of evenly spaced values: no two are near each other.
        values = golden.random.permutation(int(np.prod(shape))).astype(np.float32).reshape(shape)
        tensors = {"input": (values / values.size - np.float32(0.5)).astype(np.float32)}
        case = golden.layer(name, reference.max_pooling, tensors)
        keras_check.layer(name, lambda: keras.layers.MaxPooling2D((2, 2), strides=(2, 2)), case)
    shape = (3, 5, 4, 19)
    case = golden.layer("global_average", lambda x: x.mean((1, 2)), {"input": golden.uniform(*shape)})
    keras_check.layer("global_average", keras.layers.GlobalAveragePooling2D, case)
    values = golden.random.permutation(int(np.prod(shape))).astype(np.float32).reshape(shape) / np.float32(np.prod(shape))
    case = golden.layer("global_max", lambda x: x.amax((1, 2)), {"input": values})
    keras_check.layer("global_max", keras.layers.GlobalMaxPooling2D, case)
    return golden
