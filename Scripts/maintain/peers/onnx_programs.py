"""OpenVINO and ONNX Runtime: VGG16 and global average pooling over frames, as an ONNX model; or the model of --model.

VGG16 is written node by node: exporters add nodes of their own, and each would need its framework here.
"""

import numpy as np
import onnx
from maintain import network
from onnx import TensorProto, helper, numpy_helper

from . import programs


def model(options) -> bytes:
    """The serialized model, (frames, 3, size, size) to (frames, features); VGG16 has random weights of He's scale."""
    if options.model:
        return options.model.read_bytes()
    random, frames, size = np.random.default_rng(1), options.frames, options.size
    nodes, weights, x, channels = [], [], "frames", 3

    def add(kind: str, inputs: list[str], **attributes) -> str:
        name = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def weight(name: str, values: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    for b, block in enumerate(network.blocks(programs.classic(options)), 1):
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


def run(infer, options) -> None:
    """Measures `infer`, which takes frames to a list of outputs."""
    frames = np.random.default_rng(2).uniform(-128, 128, (options.frames, 3, options.size, options.size)).astype(np.float32)
    assert np.isfinite(infer(frames)[0]).all()
    programs.measure(lambda: infer(frames))


def with_onnxruntime(options):
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model(options), settings, providers=["CPUExecutionProvider"])
    run(lambda frames: session.run(None, {"frames": frames}), options)


def with_openvino(options):
    import openvino

    core = openvino.Core()
    # Without f32 asked for, OpenVINO takes bfloat16 on CPUs that have it.
    compiled = core.compile_model(core.read_model(model(options)), "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": options.threads})
    request = compiled.create_infer_request()
    run(lambda frames: request.infer([frames], share_inputs=True, share_outputs=True), options)


if __name__ == "__main__":
    programs.start({"openvino": with_openvino, "onnxruntime": with_onnxruntime})
