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
    if config["model"]["cnn"] is None:
        # Vectors have no rate and no pixels; raw pixels saturate a head.
        if "features" in config["model"]["input"]:
            del config["data"]["preprocessing"]
            if config["data"]["sampling"]["type"] == "fps":
                config["data"]["sampling"] = {"type": "uniform"}
        else:
            config["data"]["preprocessing"] = d.pick("torch", "unit", "symmetric")
    case = Case(seed, config, threads=d.integer(1, 4), draws_weights=d.chance(0.6))
    add_clips(d, case, classes)
    return case


def model(d):
    kind = d.pick("blocks", "blocks", "layers", "layers", "layers", "flat", "vectors")
    if kind in ("flat", "vectors"):
        size = ({"features": d.integer(1, 12), "standardize": d.chance(0.7)} if kind == "vectors" else
                {"channels": d.pick(3, 1, 2), "rows": d.integer(2, 5), "columns": d.pick(2, 4, 5)})
        return {"input": {"frames": d.integer(1, 6)} | size, "cnn": None} | head(d)
    is_named = kind == "blocks" and d.chance(0.15)
    if kind == "layers":
        rows, columns, channels = d.integer(7, 20), d.integer(7, 20), d.pick(3, 3, 1, 2)
        layers = Layers(d, rows, columns, channels).draw()
        names = network.trained_names({"cnn": {"architecture": {"layers": layers}}})
        return {
            "input": {"frames": d.integer(1, 4), "channels": channels, "rows": rows, "columns": columns},
            "cnn": {"architecture": {"layers": layers}, "weights": None, "trainable": d.pick(False, True, True, *(names and [d.pick(*names)])),
                    "pooling": d.pick("average", "max", "flatten"), "convolution": d.pick("auto", "im2col", "winograd")}} | head(d)
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
                "convolution": convolutions}} | head(d)


def head(d):
    over = [normalization(d) for _ in range(d.pick(0, 0, 1))] + [over_time(d) for _ in range(d.pick(0, 1, 1, 1, 2, 3))]
    # A final state leaves no frames to pool.
    poolings = ["average", "average", "flatten"] if network.final_state({"recurrent": over}) is None else ["average"]
    return {
        "recurrent": over, "pooling_over_time": d.pick(*poolings),
        "hidden": [hidden(d) for _ in range(d.pick(0, 1, 1, 2, 3))]}


MAP_ACTIVATIONS = ["linear", "relu", "relu6", "silu", "hard_swish", "tanh", "sigmoid", "hard_sigmoid"]


class Layers:
    """Random layers of a CNN, and the size of their maps."""

    def __init__(self, d, rows, columns, channels):
        self.d, self.size, self.channels, self.names = d, (rows, columns), channels, 0

    def draw(self):
        kinds = [self.convolution, self.convolution, self.depthwise, self.separable, self.normalization, self.normalization, self.activation,
                 self.pooling, self.padding, self.squeeze, self.residual, self.residual]
        return [self.convolution()] + [self.d.pick(*kinds)() for _ in range(self.d.integer(1, 7))]

    def layer(self, kind, **options):
        """With a name of its own or the automatic one."""
        self.names += 1
        layer = {"type": kind} | ({"name": f"own-{self.names}"} if self.d.chance(0.4) else {}) | options
        shapes = network.layer_shapes(network.layers({"cnn": {"architecture": {"layers": [layer]}}}), self.size, self.channels)
        self.size, self.channels = shapes[1:]
        return layer

    def windows(self, key, strides=(1, 1, 1, 2, [1, 2], 3), padding=("same", "same", "symmetric", "valid")):
        padding, d = self.d.pick(*padding), self.d
        extent = d.pick(1, 2, 3, 3, 3, 5, [3, 1], [2, 5])
        if padding == "valid" and any(k > n for k, n in zip(network.pair(extent), self.size)):
            padding = "same"
        return {key: extent, "strides": d.pick(*strides), "padding": padding}

    def convolution(self, filters=None, **windows):
        d = self.d
        filters = filters or d.pick(1, 2, 3, 4, 6, 8, 12, 16)
        groups = d.pick(1, 1, 1, *(n for n in (2, 3, 4) if self.channels % n == 0 and filters % n == 0))
        return self.layer("conv2d", filters=filters, groups=groups, use_bias=d.chance(0.6), activation=d.pick("linear", "linear", "relu", *MAP_ACTIVATIONS),
                          **(windows or self.windows("kernel")))

    def depthwise(self, **windows):
        return self.layer("depthwise_conv2d", use_bias=self.d.chance(0.6), activation=self.d.pick("linear", *MAP_ACTIVATIONS),
                          **(windows or self.windows("kernel")))

    def separable(self):
        return self.layer("separable_conv2d", filters=self.d.integer(1, 12), use_bias=self.d.chance(0.6),
                          activation=self.d.pick("linear", *MAP_ACTIVATIONS), **self.windows("kernel"))

    def normalization(self):
        return self.layer("batch_normalization", momentum=self.d.pick(0.99, 0.9, 0.5), epsilon=self.d.pick(1e-3, 1e-5, 0.1),
                          activation=self.d.pick("linear", "relu", *MAP_ACTIVATIONS))

    def activation(self):
        return self.layer("activation", activation=self.d.pick(*MAP_ACTIVATIONS))

    def pooling(self):
        return self.layer(self.d.pick("max_pooling2d", "average_pooling2d"), **self.windows("pool", (None, 1, 2, [1, 2])))

    def padding(self):
        return self.layer("zero_padding2d", padding=self.d.pick(1, 2, [1, 2]))

    def squeeze(self):
        return self.layer("squeeze_excite", filters=self.d.pick(None, 1, 3), activation=self.d.pick("relu", "silu", "tanh"),
                          gate=self.d.pick("sigmoid", "hard_sigmoid"))

    def residual(self):
        """A bottleneck or an inverted residual, with the shortcut's convolution where the size changes."""
        d, before = self.d, (self.size, self.channels)
        strides, filters = d.pick(1, 1, 2), d.pick(self.channels, d.integer(1, 12))
        shortcut = []
        if strides != 1 or filters != self.channels or d.chance(0.2):
            shortcut = [self.convolution(filters, kernel=1, strides=strides, padding="same")]
            shortcut += [self.normalization()] if d.chance(0.5) else []
            self.size, self.channels = before
        middle = d.pick(self.convolution, self.depthwise)
        layers = [self.convolution(kernel=1, strides=1, padding="same")] if d.chance(0.6) else []
        layers += [self.normalization()] if d.chance(0.5) else []
        layers += [middle(kernel=d.pick(3, 3, 5), strides=strides, padding=d.pick("same", "symmetric"))]
        layers += [self.squeeze()] if d.chance(0.3) else []
        layers += [self.convolution(filters, kernel=d.pick(1, 1, 3), strides=1, padding="same")]
        layers += [self.normalization()] if d.chance(0.5) else []
        self.size, self.channels = before
        return self.layer("residual", layers=layers, shortcut=shortcut, activation=d.pick("linear", "relu", *MAP_ACTIVATIONS))


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
    if "features" in size:
        add_vectors(d, case, classes)
        return
    frames, shape = size["frames"], [size["rows"], size["columns"], size["channels"]]
    # Of tiny frames nothing would be left, and clips of two labels would be the same.
    is_letterboxed = d.chance(0.3) and shape[0] * shape[1] > 25
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


def add_vectors(d, case, classes):
    size = case.config["model"]["input"]
    scale = np.exp(d.generator.uniform(-3, 3, size["features"]))
    for label in range(classes):
        for number in range(d.integer(2, 4)):
            values = (d.generator.normal(0.3 * label, 1, (d.integer(1, 2 * size["frames"] + 2), size["features"])) + 1) * scale
            if not size["standardize"]:
                values /= scale
            case.clips.append(Clip(f"clips/c{label}/{number}.npy", label, values.astype(np.float32).astype(np.float64), 0.0))


def write(case, folder):
    """Writes the case's clips below a folder."""
    for each in case.clips:
        path = folder / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if each.pixels.ndim == 2:
            np.save(path, each.pixels.astype(np.float32))
            continue
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
    spread = {"caffe": 70, "none": 100}.get(case.config["data"].get("preprocessing"), 1)
    first = next(iter(network.parameter_shapes(case.config["model"], case.classes)))
    drawn = {}
    for name, values in parameters.items():
        if name.startswith("input/"):
            continue
        low, high = -0.2, 0.2
        if name.endswith(("gamma", "moving_variance")):
            low, high = 0.5, 1.5
        elif name.endswith("kernel"):
            high = np.sqrt(6 / (np.prod(values.shape[:-2]) * (values.shape[-2] + values.shape[-1])))
            high /= spread if name == first else 1
            low = -high
        drawn[name] = generator.uniform(low, high, values.shape).astype(np.float32)
    return drawn
