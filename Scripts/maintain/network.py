"""The classifier of a configuration's `model` section: its layers' names and its parameters' shapes, as in a checkpoint."""

VGG = {
    "vgg11": [[64], [128], [256, 256], [512, 512], [512, 512]],
    "vgg13": [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
    "vgg16": [[64, 64], [128, 128], [256] * 3, [512] * 3, [512] * 3],
    "vgg19": [[64, 64], [128, 128], [256] * 4, [512] * 4, [512] * 4],
}


NORMALIZATIONS = ("batch_normalization", "layer_normalization")


def layers(model):
    """The layers of a network of the user's own, each with its name; None for blocks and named networks, and without a CNN."""
    architecture = model["cnn"]["architecture"] if model["cnn"] else {}
    if "layers" not in architecture:
        return None
    counts = {}

    def named(layers):
        result = []
        for layer in layers:
            if layer["type"] == "residual":
                layer = layer | {"shortcut": named(layer.get("shortcut", []))}
                layer = layer | {"layers": named(layer["layers"])}
            if layer.get("name") is None:
                counts[layer["type"]] = counts.get(layer["type"], 0) + 1
                layer = layer | {"name": f"{layer['type']}_{counts[layer['type']]}"}
            result.append(layer)
        return result

    return named(architecture["layers"])


def pair(extent):
    """Rows and columns of one number for both or of two."""
    return tuple(extent) if isinstance(extent, list) else (extent, extent)


def window(size, layer, key="kernel"):
    """Rows and columns behind a layer of windows."""
    kernel, strides = pair(layer[key]), pair(layer.get("strides") or layer[key])
    if layer["padding"] == "same":
        return tuple(-(-n // s) for n, s in zip(size, strides))
    zeros = [k // 2 * (layer["padding"] == "symmetric") for k in kernel]
    return tuple((n + 2 * z - k) // s + 1 for n, k, s, z in zip(size, kernel, strides, zeros))


def layer_shapes(layers, size, channels):
    """Shapes of the parameters of the layers by their names, in the order in which they are trained, and the size of the last maps."""
    shapes = {}

    def add(name, kernel, bias):
        shapes[f"cnn/{name}/kernel"] = kernel
        if bias:
            shapes[f"cnn/{name}/bias"] = kernel[-1:]

    for layer in layers:
        kind, name = layer["type"], layer["name"]
        if kind == "conv2d":
            add(name, (*pair(layer["kernel"]), channels // layer["groups"], layer["filters"]), layer["use_bias"])
            size, channels = window(size, layer), layer["filters"]
        elif kind == "depthwise_conv2d":
            add(name, (*pair(layer["kernel"]), channels), layer["use_bias"])
            size = window(size, layer)
        elif kind == "separable_conv2d":
            add(f"{name}_depthwise", (*pair(layer["kernel"]), channels), False)
            add(f"{name}_pointwise", (1, 1, channels, layer["filters"]), layer["use_bias"])
            size, channels = window(size, layer), layer["filters"]
        elif kind == "batch_normalization":
            shapes |= {f"cnn/{name}/{key}": (channels,) for key in ["gamma", "beta", "moving_mean", "moving_variance"]}
        elif kind in ("max_pooling2d", "average_pooling2d"):
            size = window(size, layer, "pool")
        elif kind == "zero_padding2d":
            size = tuple(n + 2 * z for n, z in zip(size, pair(layer["padding"])))
        elif kind == "squeeze_excite":
            inner = layer["filters"] or max(1, channels // 4)
            add(f"{name}_reduce", (1, 1, channels, inner), True)
            add(f"{name}_expand", (1, 1, inner, channels), True)
        elif kind == "residual":
            more, _, _ = layer_shapes(layer["shortcut"], size, channels)
            shapes |= more
            more, size, channels = layer_shapes(layer["layers"], size, channels)
            shapes |= more
    return shapes, size, channels


def blocks(model):
    """The filters of each convolution, block by block."""
    architecture = model["cnn"]["architecture"]
    return VGG[architecture] if isinstance(architecture, str) else architecture["blocks"]


def convolution_names(model):
    return [f"block{b + 1}_conv{c + 1}" for b, block in enumerate(blocks(model)) for c in range(len(block))]


def trained_names(model):
    """The names of the CNN's layers with parameters, in the order in which they are trained."""
    if (own := layers(model)) is None:
        return convolution_names(model)
    return list(dict.fromkeys(name.split("/")[1] for name in layer_shapes(own, (64, 64), 1)[0]))


def trainable_convolutions(model):
    """The names of the trained layers of the CNN."""
    names, trainable = trained_names(model), model["cnn"]["trainable"]
    if isinstance(trainable, bool):
        return names if trainable else []
    return names[names.index(trainable):]


def parameter_shapes(model, classes):
    """Every parameter's name and shape, in the order of the layers."""
    shapes, features = frame_shapes(model)

    def normalization(layer, name):
        keys = ["gamma", "beta"] + ["moving_mean", "moving_variance"] * (layer["type"] == "batch_normalization")
        return {f"{name}/{key}": (features,) for key in keys}

    for i, layer in enumerate(model["recurrent"]):
        name, kind = f"recurrent_{i}", layer["type"]
        if kind in NORMALIZATIONS:
            shapes |= normalization(layer, name)
        elif kind == "conv1d":
            shapes[f"{name}/kernel"] = (layer["kernel_size"], features, layer["filters"])
            if layer.get("use_bias", True):
                shapes[f"{name}/bias"] = (layer["filters"],)
            features = layer["filters"]
        elif kind == "attention":
            heads = (layer["num_heads"], layer.get("key_dim") or max(1, features // layer["num_heads"]))
            for part in ["query", "key", "value"]:
                shapes |= {f"{name}/{part}/kernel": (features, *heads), f"{name}/{part}/bias": heads}
            shapes |= {f"{name}/attention_output/kernel": (*heads, features), f"{name}/attention_output/bias": (features,)}
            shapes |= normalization(layer, f"{name}/layer_normalization")
        else:
            units = layer["units"]
            gates, bias = (4, (4 * units,)) if kind == "lstm" else (3, (2, 3 * units))
            for way in recurrent_names(i, layer):
                shapes |= {f"{way}/kernel": (features, gates * units),
                           f"{way}/recurrent_kernel": (units, gates * units), f"{way}/bias": bias}
            features = units * (2 if layer.get("bidirectional") else 1)
    if final_state(model) is None and model.get("pooling_over_time") == "flatten":
        features *= model["input"]["frames"]
    for i, layer in enumerate(model["hidden"]):
        if layer["type"] in NORMALIZATIONS:
            shapes |= normalization(layer, f"hidden_{i}")
        elif layer["type"] == "dense":
            shapes |= {f"hidden_{i}/kernel": (features, layer["units"]), f"hidden_{i}/bias": (layer["units"],)}
            features = layer["units"]
    return shapes | {"output/kernel": (features, classes), "output/bias": (classes,)}


def frame_shapes(model):
    """The shapes of the parameters before the head, and the number of a frame's features."""
    if features := model["input"].get("features"):
        is_standardized = model["input"].get("standardize", True)
        return {f"input/{key}": (features,) for key in ["mean", "standard_deviation"] if is_standardized}, features
    shapes, channels = {}, model["input"]["channels"]
    rows, columns = model["input"]["rows"], model["input"]["columns"]
    if model["cnn"] is None:
        return shapes, rows * columns * channels
    if (own := layers(model)) is not None:
        shapes, (rows, columns), channels = layer_shapes(own, (rows, columns), channels)
    else:
        for b, block in enumerate(blocks(model)):
            for c, filters in enumerate(block):
                name = f"cnn/block{b + 1}_conv{c + 1}"
                shapes |= {f"{name}/kernel": (3, 3, channels, filters), f"{name}/bias": (filters,)}
                channels = filters
            rows, columns = rows // 2, columns // 2
    return shapes, channels * rows * columns if model["cnn"]["pooling"] == "flatten" else channels


def final_state(model):
    """The index of the recurrent layer that gives its final state: the last lstm or gru, unless a conv1d or an attention follows it."""
    over_time = [i for i, layer in enumerate(model["recurrent"]) if layer["type"] not in NORMALIZATIONS]
    return over_time[-1] if over_time and model["recurrent"][over_time[-1]]["type"] in ("lstm", "gru") else None


def recurrent_names(index, layer):
    """Where a recurrent layer's kernel, recurrent_kernel and bias are, one name a direction."""
    name = f"recurrent_{index}"
    return [f"{name}/forward", f"{name}/backward"] if layer.get("bidirectional") else [name]


def is_trainable(name, model):
    if name.startswith("cnn/"):
        return "moving_" not in name and name.split("/")[1] in trainable_convolutions(model)
    return not name.startswith("input/") and "moving_" not in name
