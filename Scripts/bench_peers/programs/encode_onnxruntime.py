"""ONNX Runtime: VGG16 and pooling over frames."""

import common
import numpy as np
import onnx_vgg16
import onnxruntime


def main():
    options = common.parse()
    session_options = onnxruntime.SessionOptions()
    session_options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session_options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    session_options.intra_op_num_threads = options.threads
    session_options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        onnx_vgg16.model(options.frames, options.size), session_options, providers=["CPUExecutionProvider"])
    feed = {"frames": onnx_vgg16.random_frames(options.frames, options.size)}
    assert np.isfinite(session.run(None, feed)[0]).all()
    common.measure(lambda: session.run(None, feed))


if __name__ == "__main__":
    main()
