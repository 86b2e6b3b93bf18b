"""OpenVINO and ONNX Runtime: the frame network and pooling over frames, as the ONNX model that `vidclass export` writes."""

import numpy as np

from . import programs


def measure(infer, options) -> None:
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
    # A known shape, which both plan for.
    settings.add_free_dimension_override_by_name("batch", options.frames)
    session = onnxruntime.InferenceSession(options.encoder.with_suffix(".onnx"), settings, providers=["CPUExecutionProvider"])
    measure(lambda frames: session.run(None, {"frames": frames}), options)


def with_openvino(options):
    import openvino

    core = openvino.Core()
    model = core.read_model(options.encoder.with_suffix(".onnx"))
    model.reshape([options.frames, 3, options.size, options.size])
    # Without f32 asked for, OpenVINO takes bfloat16 on CPUs that have it.
    compiled = core.compile_model(model, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": options.threads})
    request = compiled.create_infer_request()
    measure(lambda frames: request.infer([frames], share_inputs=True, share_outputs=True), options)


if __name__ == "__main__":
    programs.start({"openvino": with_openvino, "onnxruntime": with_onnxruntime})
