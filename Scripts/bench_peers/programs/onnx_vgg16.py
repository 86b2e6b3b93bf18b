"""VGG16 without its top and global average pooling as an ONNX model, for OpenVINO and ONNX Runtime.

Written node by node: exporters add nodes of their own, and each would need its framework here.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCKS = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]


def model(frames: int, size: int) -> bytes:
    """The serialized model, (frames, 3, size, size) to (frames, 512), with random weights of He's scale."""
    random = np.random.default_rng(1)
    nodes, weights, x, channels = [], [], "frames", 3

    def add(kind: str, inputs: list[str], **attributes) -> str:
        name = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def weight(name: str, values: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    for b, block in enumerate(BLOCKS, 1):
        for c, filters in enumerate(block, 1):
            name = f"block{b}_conv{c}"
            kernel = weight(f"{name}/kernel", random.normal(0, np.sqrt(2 / (9 * channels)), (filters, channels, 3, 3)))
            bias = weight(f"{name}/bias", np.zeros(filters))
            x = add("Relu", [add("Conv", [x, kernel, bias], kernel_shape=[3, 3], pads=[1, 1, 1, 1])])
            channels = filters
        x = add("MaxPool", [x], kernel_shape=[2, 2], strides=[2, 2])
    features = add("Flatten", [add("GlobalAveragePool", [x])])
    graph = helper.make_graph(
        nodes, "vgg16", [helper.make_tensor_value_info("frames", TensorProto.FLOAT, [frames, 3, size, size])],
        [helper.make_tensor_value_info(features, TensorProto.FLOAT, [frames, channels])], weights)
    # An opset that every runtime of the last years reads.
    document = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(document)
    return document.SerializeToString()


def random_frames(frames: int, size: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(-128, 128, (frames, 3, size, size)).astype(np.float32)
