"""The whole classifier in PyTorch, from a config's `model` part and parameters under their names in a checkpoint."""

import torch

from . import reference

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


def encode(frames, parameters, model):
    """Features (N, F) of frames (N, rows, columns, channels)."""
    x = frames
    for b, block in enumerate(blocks(model)):
        for c in range(len(block)):
            name = f"cnn/block{b + 1}_conv{c + 1}"
            x = reference.convolution(x, parameters[f"{name}/kernel"], parameters[f"{name}/bias"], name="relu")
        x = reference.max_pooling(x)
    return {"average": lambda: x.mean((1, 2)), "max": lambda: x.amax((1, 2)), "flatten": lambda: x.flatten(1)}[
        model["cnn"]["pooling"]]()


def logits(frames, parameters, model, mask=None, training=False):
    """Logits (B, classes) of preprocessed frames (B, T, rows, columns, channels).

    While training, new moving statistics replace those in `parameters`.
    """
    batch, steps = frames.shape[:2]
    x = encode(frames.flatten(0, 1), parameters, model).unflatten(0, (batch, steps))

    def normalize(name, layer, x, mask=None):
        keys = [f"{name}/{key}" for key in ["gamma", "beta", "moving_mean", "moving_variance"]]
        x, parameters[keys[2]], parameters[keys[3]] = reference.batch_normalization(
            x, *[parameters[key] for key in keys], training, mask, layer.get("momentum", 0.99), layer.get("epsilon", 1e-3))
        return x

    recurrent = [i for i, layer in enumerate(model["recurrent"]) if layer["type"] != "batch_normalization"]
    for i, layer in enumerate(model["recurrent"]):
        if layer["type"] == "batch_normalization":
            x = normalize(f"recurrent_{i}", layer, x, mask)
            continue
        weights = [parameters[f"{name}/{key}"] for name in recurrent_names(i, layer)
                   for key in ["kernel", "recurrent_kernel", "bias"]]
        x = reference.recurrent(layer["type"], x, weights, mask, i != recurrent[-1],
                                recurrent_activation=layer.get("recurrent_activation", "hard_sigmoid"),
                                name=layer.get("activation", "tanh"))
    if not recurrent:
        x = reference.mean_over_time(x, mask)
    for i, layer in enumerate(model["hidden"]):
        if layer["type"] == "batch_normalization":
            x = normalize(f"hidden_{i}", layer, x)
        elif layer["type"] == "dense":
            x = reference.dense(x, parameters[f"hidden_{i}/kernel"], parameters[f"hidden_{i}/bias"],
                                layer.get("activation", "relu"))
    return x @ parameters["output/kernel"] + parameters["output/bias"]


def with_gradients(parameters, model, dtype):
    """Copies of the parameters in `dtype`, the trainable ones as leaves of autograd."""
    copies = {}
    for name, values in parameters.items():
        copies[name] = torch.tensor(values, dtype=dtype).requires_grad_(is_trainable(name, model))
    return copies
