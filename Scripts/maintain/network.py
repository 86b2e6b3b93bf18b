"""The classifier of a configuration's `model` section: its layers' names and its parameters' shapes, as in a checkpoint."""

VGG = {
    "vgg11": [[64], [128], [256, 256], [512, 512], [512, 512]],
    "vgg13": [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
    "vgg16": [[64, 64], [128, 128], [256] * 3, [512] * 3, [512] * 3],
    "vgg19": [[64, 64], [128, 128], [256] * 4, [512] * 4, [512] * 4],
}


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

    def normalization(name):
        return {f"{name}/{key}": (features,) for key in ["gamma", "beta", "moving_mean", "moving_variance"]}

    for i, layer in enumerate(model["recurrent"]):
        if layer["type"] == "batch_normalization":
            shapes |= normalization(f"recurrent_{i}")
            continue
        units = layer["units"]
        gates, bias = (4, (4 * units,)) if layer["type"] == "lstm" else (3, (2, 3 * units))
        for name in recurrent_names(i, layer):
            shapes |= {f"{name}/kernel": (features, gates * units),
                       f"{name}/recurrent_kernel": (units, gates * units), f"{name}/bias": bias}
        features = units * (2 if layer.get("bidirectional") else 1)
    for i, layer in enumerate(model["hidden"]):
        if layer["type"] == "batch_normalization":
            shapes |= normalization(f"hidden_{i}")
        elif layer["type"] == "dense":
            shapes |= {f"hidden_{i}/kernel": (features, layer["units"]), f"hidden_{i}/bias": (layer["units"],)}
            features = layer["units"]
    return shapes | {"output/kernel": (features, classes), "output/bias": (classes,)}


def recurrent_names(index, layer):
    """Where a recurrent layer's kernel, recurrent_kernel and bias are, one name a direction."""
    name = f"recurrent_{index}"
    return [f"{name}/forward", f"{name}/backward"] if layer.get("bidirectional") else [name]


def is_trainable(name, model):
    if name.startswith("cnn/"):
        return name.split("/")[1] in trainable_convolutions(model)
    return "moving_" not in name
