"""Random cases: a configuration and its clips, drawn from a seed."""

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from maintain import clip, network

LAYER_ACTIVATIONS = ["linear", "relu", "tanh", "sigmoid", "hard_sigmoid"]


@dataclass
class Clip:
    """A clip as the program reads it: `pixels` (frames, rows, columns, channels), 0...255, and its frames per second."""

    path: str
    label: int
    pixels: np.ndarray
    rate: float


@dataclass
class Case:
    seed: int
    config: dict
    clips: list[Clip] = field(default_factory=list)
    threads: int = 1
    # Whether the weights are drawn here, with biases that are not 0, or left as the program draws them.
    draws_weights: bool = True

    @property
    def classes(self) -> int:
        return 1 + max(each.label for each in self.clips)


class Draw:
    """Random choices from a seed."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)

    def chance(self, probability):
        return bool(self.generator.random() < probability)

    def pick(self, *options):
        return options[self.generator.integers(len(options))]

    def integer(self, low, high):
        """From low to high, both included."""
        return int(self.generator.integers(low, high + 1))

    def number(self, low, high):
        """Evenly on a logarithmic scale, as short as people write it."""
        return float(f"{np.exp(self.generator.uniform(np.log(low), np.log(high))):.2g}")


def draw(seed: int) -> Case:
    """The case of a seed."""
    d = Draw(seed)
    classes = d.integer(2, 4)
    config = {
        "seed": d.integer(0, 2**40), "model": model(d), "optimizer": optimizer(d), "data": data(d), "training": training(d, classes),
        "evaluation": {"clips": d.pick(1, 1, 2, 3)}, "output": {"tensorboard": False, "name": "run"}}
    case = Case(seed, config, threads=d.integer(1, 4), draws_weights=d.chance(0.6))
    add_clips(d, case, classes)
    return case


def model(d):
    is_named = d.chance(0.06)
    if is_named:
        architecture, convolutions = d.pick("vgg11", "vgg13", "vgg16"), d.pick("auto", "auto", "im2col", "winograd")
        trainable = d.pick(False, False, False, "block5_conv1")
        rows, columns = d.integer(32, 40), d.integer(32, 40)
    else:
        filters = d.pick([1, 2, 3, 5, 8], [8, 12, 16], [8, 16, 24, 32])
        blocks = [[d.pick(*filters) for _ in range(d.pick(1, 1, 2))] for _ in range(d.pick(1, 2, 2, 3))]
        architecture, convolutions = {"blocks": blocks}, d.pick("auto", "im2col", "winograd")
        names = network.convolution_names({"cnn": {"architecture": architecture}})
        trainable = d.pick(False, True, True, d.pick(*names))
        least = 2 ** len(blocks)
        rows, columns = d.integer(least, least + 16), d.integer(least, least + 16)
    return {
        "input": {"frames": d.integer(1, 2 if is_named else 6), "channels": d.pick(3, 3, 3, 1, 2), "rows": rows, "columns": columns},
        "cnn": {"architecture": architecture, "weights": None, "trainable": trainable, "pooling": d.pick("average", "max", "flatten"),
                "convolution": convolutions},
        "recurrent": [normalization(d) for _ in range(d.pick(0, 0, 1))] + [over_time(d) for _ in range(d.pick(0, 1, 1, 1, 2, 3))],
        "hidden": [hidden(d) for _ in range(d.pick(0, 1, 1, 2, 3))]}


def batch_normalization(d):
    return {"type": "batch_normalization", "momentum": d.pick(0.99, 0.9, 0.5, 0.0), "epsilon": d.pick(1e-3, 1e-5, 0.1)}


def layer_normalization(d):
    return {"type": "layer_normalization", "epsilon": d.pick(1e-3, 1e-5, 0.1)}


def normalization(d):
    return d.pick(batch_normalization, layer_normalization)(d)


def over_time(d):
    return d.pick(recurrent, recurrent, recurrent, conv1d, attention, normalization)(d)


def conv1d(d):
    return {"type": "conv1d", "filters": d.integer(1, 9), "kernel_size": d.integer(1, 4), "padding": d.pick("same", "causal"),
            "dilation_rate": d.pick(1, 1, 2), "activation": d.pick("linear", "relu", *LAYER_ACTIVATIONS), "use_bias": d.chance(0.8)}


def attention(d):
    return {"type": "attention", "num_heads": d.integer(1, 3), "key_dim": d.pick(None, 1, 3, 5), "dropout": 0.0,
            "use_causal_mask": d.chance(0.4)}


def recurrent(d):
    return {"type": d.pick("lstm", "gru"), "units": d.integer(1, 9), "activation": d.pick("tanh", "tanh", *LAYER_ACTIVATIONS),
            "recurrent_activation": d.pick("sigmoid", "hard_sigmoid"), "bidirectional": d.chance(0.3), "dropout": 0.0,
            "recurrent_dropout": 0.0}


def hidden(d):
    kind = d.pick("dense", "dense", "dense", "normalization", "dropout")
    if kind == "dense":
        return {"type": kind, "units": d.integer(1, 12), "activation": d.pick("relu", "relu", *LAYER_ACTIVATIONS, "softmax")}
    return {"type": kind, "rate": 0.0} if kind == "dropout" else normalization(d)


def optimizer(d):
    settings = {"type": d.pick("nadam", "adam", "sgd", "rmsprop"), "learning_rate": d.number(1e-4, 1e-2)}
    if settings["type"] in ("nadam", "adam"):
        settings |= {"beta_1": d.pick(0.9, 0.9, 0.5, 0.0), "beta_2": d.pick(0.999, 0.999, 0.9, 0.99)}
    if settings["type"] == "nadam":
        settings["schedule_decay"] = d.pick(0.004, 0.004, 0.0, 1.0)
    if settings["type"] == "sgd":
        settings["momentum"] = d.pick(0.0, 0.9, 0.5)
        settings["nesterov"] = settings["momentum"] > 0 and d.chance(0.5)
    else:
        settings["epsilon"] = d.pick(1e-8, 1e-7, 1e-3)
    if settings["type"] == "rmsprop":
        settings["rho"] = d.pick(0.9, 0.99, 0.0)
    if d.chance(0.4):
        settings["clip_norm"] = d.number(1e-3, 10)
    if d.chance(0.4):
        settings["weight_decay"] = d.number(1e-2, 10)
        settings["exclude_from_weight_decay"] = d.pick([], ["bias"], ["bias", "gamma", "beta"], ["cnn/", "output/kernel"])
    settings["gradient_accumulation_steps"] = d.pick(1, 1, 1, 2, 3)
    return settings


def data(d):
    kind = d.pick("uniform", "uniform", "random", "consecutive", "fps")
    sampling = {"type": kind} | {"consecutive": {"stride": d.integer(1, 3)}, "fps": {"fps": d.pick(5.0, 8.0, 12.5)}}.get(kind, {})
    return {"path": "clips", "validation_split": d.pick(0.0, 0.25, 0.4), "leak_check": "off", "sampling": sampling,
            "preprocessing": d.pick("caffe", "torch", "unit", "symmetric", "none"), "short_clips": d.pick("loop", "pad_last", "mask")}


def training(d, classes):
    weights = {f"c{label}": d.pick(0, 0.25, 1, 3) for label in range(classes) if d.chance(0.7)}
    # Refused: a loss that nothing adds to.
    weights = weights if any(weights.get(f"c{label}", 1) for label in range(classes)) else None
    schedule = {"type": d.pick("constant", "constant", "cosine", "step")}
    schedule |= {"cosine": {"alpha": d.pick(0.0, 0.1)}, "step": {"step_epochs": 1, "factor": d.pick(0.1, 0.5)}}.get(schedule["type"], {})
    if d.chance(0.3):
        schedule["warmup_epochs"] = d.pick(0.5, 1, 1.5)
    return {"epochs": d.pick(1, 1, 2), "batch_size": d.integer(1, 6), "shuffle": d.chance(0.7), "learning_rate_schedule": schedule,
            "label_smoothing": d.pick(0.0, 0.0, 0.1, 0.3), "class_weights": d.pick(None, "balanced", weights)}


def add_clips(d, case, classes):
    """At least two clips of each class, some shorter than the model's frames; some letterboxed, some with still frames."""
    size = case.config["model"]["input"]
    frames, shape = size["frames"], [size["rows"], size["columns"], size["channels"]]
    is_letterboxed = d.chance(0.3)
    for label in range(classes):
        for number in range(d.integer(2, 4)):
            count = d.integer(1, 2 * frames + 2)
            pixels = d.generator.integers(0, 256 - 40 * (classes - 1 - label), (count, *shape)).astype(np.float64)
            if is_letterboxed:
                low, high = sorted(d.integer(0, shape[0]) for _ in range(2))
                pixels[:, :low], pixels[:, high:] = 0, 0
                left = d.integer(0, shape[1] - 1)
                pixels[:, :, :left] = 0
            if d.chance(0.15):
                pixels[:] = pixels[0]
            kind = d.pick("bin", "bin", "float.bin", "npy", "last.npy")
            if kind == "float.bin":
                pixels = (pixels * 0.937).astype(np.float32).astype(np.float64)
            case.clips.append(Clip(f"clips/c{label}/{number}.{kind}", label, pixels, d.pick(8.0, 12.5, 25.0, 29.97)))
    if case.config["data"]["sampling"]["type"] == "fps":
        # An array has no frame rate.
        for each in case.clips:
            each.path = each.path.replace(".last.npy", ".bin").replace(".npy", ".bin")


def write(case, folder):
    """Writes the case's clips below a folder."""
    for each in case.clips:
        path = folder / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = each.pixels.astype(np.float32 if ".float." in path.name else np.uint8)
        if path.name.endswith(".last.npy") and pixels.shape[1] not in (1, 3) and pixels.shape[3] in (1, 3):
            np.save(path, pixels)
        elif path.suffix == ".npy":
            np.save(path, np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
        else:
            write_bin(path, pixels.transpose(0, 3, 1, 2), each.rate)


def write_bin(path, frames, rate):
    """A clip file of (frames, channels, rows, columns), uint8 or float32."""
    payload = np.ascontiguousarray(frames).tobytes()
    kind = int(frames.dtype == np.float32)
    header = struct.pack("<8sHBB4IfQI16x", clip.MAGIC, 1, kind, 0, *frames.shape, rate, len(payload), zlib.crc32(payload))
    path.write_bytes(header + struct.pack("<I", zlib.crc32(header)) + payload)


def drawn_weights(case, parameters):
    """Weights by name in single precision: uniform within Glorot's limits, biases not 0, so that each has a value to be wrong."""
    generator = np.random.default_rng([case.seed, 1])
    spread = {"caffe": 70, "none": 100}.get(case.config["data"]["preprocessing"], 1)
    drawn = {}
    for name, values in parameters.items():
        low, high = -0.2, 0.2
        if name.endswith(("gamma", "moving_variance")):
            low, high = 0.5, 1.5
        elif name.endswith("kernel"):
            high = np.sqrt(6 / (np.prod(values.shape[:-2]) * (values.shape[-2] + values.shape[-1])))
            high /= spread if name == "cnn/block1_conv1/kernel" else 1
            low = -high
        drawn[name] = generator.uniform(low, high, values.shape).astype(np.float32)
    return drawn
