"""The classifier of a configuration's `model` section: its layers' names and its parameters' shapes, as in a checkpoint."""

VGG = {
    "vgg11": [[64], [128], [256, 256], [512, 512], [512, 512]],
    "vgg13": [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
    "vgg16": [[64, 64], [128, 128], [256] * 3, [512] * 3, [512] * 3],
    "vgg19": [[64, 64], [128, 128], [256] * 4, [512] * 4, [512] * 4],
}


NORMALIZATIONS = ("batch_normalization", "layer_normalization")


def blocks(model):
    """The filters of each convolution, block by block."""
    architecture = model["cnn"]["architecture"]
    return VGG[architecture] if isinstance(architecture, str) else architecture["blocks"]


def convolution_names(model):
    return [f"block{b + 1}_conv{c + 1}" for b, block in enumerate(blocks(model)) for c in range(len(block))]


def trainable_convolutions(model):
    names, trainable = convolution_names(model), model["cnn"]["trainable"]
    if isinstance(trainable, bool):
        return names if trainable else []
    return names[names.index(trainable):]


def parameter_shapes(model, classes):
    """Every parameter's name and shape, in the order of the layers."""
    shapes, channels = {}, model["input"]["channels"]
    rows, columns = model["input"]["rows"], model["input"]["columns"]
    for b, block in enumerate(blocks(model)):
        for c, filters in enumerate(block):
            name = f"cnn/block{b + 1}_conv{c + 1}"
            shapes |= {f"{name}/kernel": (3, 3, channels, filters), f"{name}/bias": (filters,)}
            channels = filters
        rows, columns = rows // 2, columns // 2
    features = channels * rows * columns if model["cnn"]["pooling"] == "flatten" else channels

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
    for i, layer in enumerate(model["hidden"]):
        if layer["type"] in NORMALIZATIONS:
            shapes |= normalization(layer, f"hidden_{i}")
        elif layer["type"] == "dense":
            shapes |= {f"hidden_{i}/kernel": (features, layer["units"]), f"hidden_{i}/bias": (layer["units"],)}
            features = layer["units"]
    return shapes | {"output/kernel": (features, classes), "output/bias": (classes,)}


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
        return name.split("/")[1] in trainable_convolutions(model)
    return "moving_" not in name
