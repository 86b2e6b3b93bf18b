"""Exports random models and runs them in ONNX Runtime, OpenVINO, Keras and PyTorch: the scores must be those of vidclass.

    PYTHONPATH=Scripts python3 -m maintain.export_check [--count N] [--seed S] [--networks [NAME ...]] [--vgg16 FILE] [--verbose]

Each case is a configuration of check_random with random weights, exported whole as onnx (with a random opset), keras and torch; every
fourth also as encoder and head, which run one after the other, and for any number of frames, with clips of another. ONNX files must pass
onnx.checker and strict shape inference. Keras opens its files in safe mode. What a format or program cannot have must be refused with the words that name it, and is counted.

With --networks also of ResNet, MobileNet and EfficientNet-Lite with random weights, and with --vgg16 the real VGG16.
"""

import collections
import os
import sys
import tempfile
import time

from maintain import environment

PACKAGES = ("torch", "keras", "onnx", "onnxruntime", "openvino", "safetensors", "h5py", "numpy")
TOLERANCE = 1e-5
NETWORKS = ["resnet18", "resnet50_keras", "mobilenet_v2", "mobilenet_v2_keras", "mobilenet_v3_small", "efficientnet_b0", "tf_efficientnet_b0",
            "efficientnet_lite0", "vgg11_bn"]


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("--count", type=int, default=20, help="the number of random configurations (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first (default: 1)")
    parser.add_argument("--networks", nargs="*", metavar="NAME", help="also these networks, or some of each kind, with random weights")
    parser.add_argument("--vgg16", metavar="FILE", help="also VGG16 with these weights")
    parser.add_argument("--verbose", action="store_true", help="print every model's largest difference")
    environment.add_program(parser)
    arguments = parser.parse_args()
    environment.enter(*PACKAGES)
    # With TensorFlow Keras cannot open every model: grouped and depthwise convolutions have fewer strides there.
    os.environ["KERAS_BACKEND"] = "torch"

    from . import models, programs

    cases = [models.random_case(seed) for seed in range(arguments.seed, arguments.seed + arguments.count)]
    if arguments.networks is not None:
        cases += [models.network_case(name) for name in arguments.networks or NETWORKS]
    if arguments.vgg16:
        cases.append(models.network_case("vgg16", arguments.vgg16))
    start, faults = time.monotonic(), 0
    worst, count, refused = collections.defaultdict(float), collections.Counter(), collections.Counter()
    for number, case in enumerate(cases):
        with tempfile.TemporaryDirectory() as scratch:
            model = models.Model(case, scratch, arguments.vidclass)
            largest = 0.0
            for outcome in programs.outcomes(model, with_parts=number % 4 == 0):
                if outcome.refusal:
                    refused[f"{outcome.program}: {outcome.refusal}"] += 1
                    continue
                count[outcome.program] += 1
                largest = max(largest, outcome.error)
                worst[outcome.program] = max(worst[outcome.program], outcome.error)
                # NaN must fail.
                if not outcome.error <= TOLERANCE:
                    faults += 1
                    print(f"FAILED {case.name}, {outcome.program}: {outcome.fault or f'scores differ by {outcome.error:.2g}'}", flush=True)
            if arguments.verbose:
                print(f"{case.name}: largest difference {largest:.2g}", flush=True)
    print(f"{len(cases)} models in {time.monotonic() - start:.0f} s, allowed {TOLERANCE:.0e}")
    for program, error in worst.items():
        print(f"{program:24} {count[program]:5} exports, largest difference {error:.2g}")
    for what, times in sorted(refused.items()):
        print(f"refused {times} times: {what}")
    sys.exit(1 if faults or not cases else 0)


if __name__ == "__main__":
    main()
