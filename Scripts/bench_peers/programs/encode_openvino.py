"""OpenVINO: VGG16 and pooling over frames."""

import common
import numpy as np
import onnx_vgg16
import openvino


def main():
    options = common.parse()
    core = openvino.Core()
    # Without f32 asked for, OpenVINO takes bfloat16 on CPUs that have it.
    compiled = core.compile_model(core.read_model(onnx_vgg16.model(options.frames, options.size)), "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": options.threads})
    request = compiled.create_infer_request()
    frames = onnx_vgg16.random_frames(options.frames, options.size)
    assert np.isfinite(request.infer([frames])[0]).all()
    common.measure(lambda: request.infer([frames], share_inputs=True, share_outputs=True))


if __name__ == "__main__":
    main()
