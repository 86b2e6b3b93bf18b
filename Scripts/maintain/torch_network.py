"""The classifier in PyTorch, written out in vidclass's layouts (autograd gives the gradients), and in PyTorch's own modules.

Layouts: images (N, rows, columns, channels), kernels (rows, columns, in, out), sequences (batch, steps, features),
Dense kernels (in, units), LSTM gates i, f, c, o, GRU gates z, r, h with reset_after and a (2, 3 units) bias, as Keras.
Every function runs in the precision of its inputs. `model` is a configuration's section, `parameters` are by their names in
a checkpoint.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from . import network

BATCH_NORMALIZATION_EPSILON = 1e-3
BATCH_NORMALIZATION_MOMENTUM = 0.99
LAYER_NORMALIZATION_EPSILON = 1e-3
ATTENTION = [f"{part}/{key}" for part in ["query", "key", "value", "attention_output"] for key in ["kernel", "bias"]] + [
    "layer_normalization/gamma", "layer_normalization/beta"]


def activation(name, x):
    """`hard_sigmoid` is Keras 1's clip(0.2 x + 0.5, 0, 1), not Keras 3's relu6(x + 3) / 6."""
    return {
        "linear": lambda: x,
        "relu": lambda: torch.relu(x),
        "tanh": lambda: torch.tanh(x),
        "sigmoid": lambda: torch.sigmoid(x),
        "hard_sigmoid": lambda: torch.clamp(0.2 * x + 0.5, 0, 1),
        "softmax": lambda: torch.softmax(x, -1),
    }[name]()


def same_padding(size, kernel, stride):
    """Zeros before and after an axis under TensorFlow's `same`: the odd one goes after."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def padded(x, kernel, stride, padding, value=0.0):
    """`same` as in Keras, `symmetric` as in PyTorch, `valid`."""
    if padding == "valid":
        return x
    ends = [same_padding(n, k, s) if padding == "same" else (k // 2, k // 2) for n, k, s in zip(x.shape[1:3], kernel, stride)]
    return F.pad(x, (0, 0, *ends[1], *ends[0]), value=value)


def convolution(x, kernel, bias, stride=(1, 1), padding="same", name="linear", groups=1):
    x = padded(x, kernel.shape[:2], stride, padding)
    # Contiguous: PyTorch 2.13 refuses to compute the gradient of the view of a kernel with one filter or one channel.
    y = F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1).contiguous(), bias, stride, groups=groups)
    return map_activation(name, y.permute(0, 2, 3, 1))


def map_activation(name, x):
    """The CNN's: `hard_sigmoid` is Keras 3's and PyTorch's."""
    return {
        "relu6": lambda: torch.clamp(x, 0, 6),
        "silu": lambda: x * torch.sigmoid(x),
        "hard_swish": lambda: x * (torch.clamp(x + 3, 0, 6) / 6),
        "hard_sigmoid": lambda: torch.clamp(x + 3, 0, 6) / 6,
    }.get(name, lambda: activation(name, x))()


def max_pooling(x, size=(2, 2), stride=(2, 2)):
    return F.max_pool2d(x.permute(0, 3, 1, 2), size, stride).permute(0, 2, 3, 1)


def dense(x, kernel, bias, name="linear"):
    return activation(name, x @ kernel + bias)


def lstm(x, kernel, recurrent_kernel, bias, mask=None, recurrent_activation="sigmoid", reverse=False,
         name="tanh"):
    """All outputs (batch, steps, units) in the order of the input's steps; a masked step repeats the state before it.
    `name` is the activation of candidate and cell."""
    units = recurrent_kernel.shape[0]
    h = c = x.new_zeros(x.shape[0], units)
    outputs = [None] * x.shape[1]
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        i, f, g, o = (x[:, t] @ kernel + h @ recurrent_kernel + bias).split(units, -1)
        new_c = activation(recurrent_activation, f) * c + activation(recurrent_activation, i) * activation(name, g)
        new_h = activation(recurrent_activation, o) * activation(name, new_c)
        h, c = keep(mask, t, new_h, h), keep(mask, t, new_c, c)
        outputs[t] = h
    return torch.stack(outputs, 1)


def gru(x, kernel, recurrent_kernel, bias, mask=None, recurrent_activation="sigmoid", reverse=False,
        name="tanh"):
    """As `lstm`, with the reset gate applied after the multiplication (reset_after)."""
    units = recurrent_kernel.shape[0]
    h = x.new_zeros(x.shape[0], units)
    outputs = [None] * x.shape[1]
    for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
        x_z, x_r, x_h = (x[:, t] @ kernel + bias[0]).split(units, -1)
        h_z, h_r, h_h = (h @ recurrent_kernel + bias[1]).split(units, -1)
        z = activation(recurrent_activation, x_z + h_z)
        r = activation(recurrent_activation, x_r + h_r)
        h = keep(mask, t, z * h + (1 - z) * activation(name, x_h + r * h_h), h)
        outputs[t] = h
    return torch.stack(outputs, 1)


def keep(mask, t, new, old):
    """The new state where step t counts, else the old one."""
    return new if mask is None else torch.where(mask[:, t, None] > 0, new, old)


def recurrent(kind, x, parameters, mask=None, return_sequences=False, **options):
    """`parameters`: (kernel, recurrent_kernel, bias), or two such triples for a bidirectional layer.

    A bidirectional layer concatenates both directions; its sequences are zero at masked steps, as in Keras.
    """
    layer = {"lstm": lstm, "gru": gru}[kind]
    if len(parameters) == 3:
        y = layer(x, *parameters, mask, **options)
        return y if return_sequences else y[:, -1]
    forward = layer(x, *parameters[:3], mask, **options)
    backward = layer(x, *parameters[3:], mask, reverse=True, **options)
    if not return_sequences:
        return torch.cat([forward[:, -1], backward[:, 0]], -1)
    y = torch.cat([forward, backward], -1)
    return y if mask is None else y * mask[:, :, None]


def mean_over_time(x, mask=None):
    if mask is None:
        return x.mean(1)
    return (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)


def batch_normalization(x, gamma, beta, moving_mean, moving_variance, training, mask=None,
                        momentum=BATCH_NORMALIZATION_MOMENTUM, epsilon=BATCH_NORMALIZATION_EPSILON):
    """The output and the new moving statistics; over all axes but the last, steps of mask 0 left out of the statistics.

    The variance is the biased one, for the moving average too, as in Keras.
    """
    if not training:
        return (x - moving_mean) / torch.sqrt(moving_variance + epsilon) * gamma + beta, moving_mean, moving_variance
    counted = x.reshape(-1, x.shape[-1]) if mask is None else x[mask > 0]
    mean, variance = counted.mean(0), counted.var(0, unbiased=False)
    y = (x - mean) / torch.sqrt(variance + epsilon) * gamma + beta
    return (y, moving_mean * momentum + mean.detach() * (1 - momentum),
            moving_variance * momentum + variance.detach() * (1 - momentum))


def layer_normalization(x, gamma, beta, epsilon=LAYER_NORMALIZATION_EPSILON):
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + epsilon) * gamma + beta


def convolution_over_time(x, kernel, bias=None, mask=None, padding="same", dilation_rate=1, name="linear"):
    """Steps that do not count are zeros, as the padding is."""
    if mask is not None:
        x = x * mask[:, :, None]
    reach = (kernel.shape[0] - 1) * dilation_rate
    before = reach if padding == "causal" else reach // 2
    x = F.pad(x, (0, 0, before, reach - before))
    y = F.conv1d(x.transpose(1, 2), kernel.permute(2, 1, 0).contiguous(), bias, dilation=dilation_rate)
    return activation(name, y.transpose(1, 2))


def attention(x, parameters, mask=None, use_causal_mask=False):
    """Multi-head self-attention, added to its input, then layer normalization. `parameters`: kernel and bias of query, key, value and
    output; gamma and beta."""
    query, key, value = (torch.einsum("btf,fhd->bhtd", x, kernel) + bias[:, None] for kernel, bias in zip(parameters[:6:2], parameters[1:6:2]))
    scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
    steps = x.shape[1]
    seen = torch.ones(steps, steps, dtype=torch.bool)
    if use_causal_mask:
        seen = seen.tril()
    seen = seen.expand(len(x), 1, steps, steps)
    if mask is not None:
        seen = seen & (mask[:, None, None, :] > 0)
    weights = torch.softmax(scores.masked_fill(~seen, -torch.inf), -1)
    output = torch.einsum("bhtd,hdf->btf", weights @ value, parameters[6]) + parameters[7]
    return layer_normalization(x + output, *parameters[8:])


def cross_entropy(logits, labels, smoothing=0.0):
    """Mean over the batch of the cross-entropy with one-hot labels smoothed to y (1 - s) + s / classes."""
    classes = logits.shape[-1]
    targets = F.one_hot(labels, classes).to(logits.dtype) * (1 - smoothing) + smoothing / classes
    return -(targets * torch.log_softmax(logits, -1)).sum(-1).mean()


def encode(frames, parameters, model, training=False):
    """Features (N, F) of frames (N, rows, columns, channels), or of vectors (N, F)."""
    if model["cnn"] is None:
        x = frames.flatten(1)
        if "input/mean" not in parameters:
            return x
        return (x - parameters["input/mean"]) / parameters["input/standard_deviation"]
    if (layers := network.layers(model)) is not None:
        trained = network.trainable_convolutions(model)
        return features_of(run_layers(layers, frames, parameters, trained if training else []), model)
    return pooled(last_maps(frames, parameters, model), model)


def last_maps(frames, parameters, model):
    """The last convolution's output behind its ReLU."""
    x = frames
    for b, block in enumerate(network.blocks(model)):
        if b > 0:
            x = max_pooling(x)
        for c in range(len(block)):
            name = f"cnn/block{b + 1}_conv{c + 1}"
            x = convolution(x, parameters[f"{name}/kernel"], parameters[f"{name}/bias"], name="relu")
    return x


def run_layers(layers, x, parameters, normalized):
    """The output of a network of the user's own. The batch normalizations named in `normalized` use the statistics of x, and new
    moving ones replace those in `parameters`."""

    def convolve(name, x, strides=(1, 1), padding="same", groups=1, act="linear"):
        kernel = parameters[f"cnn/{name}/kernel"]
        if kernel.ndim == 3:
            kernel, groups = kernel[:, :, None], kernel.shape[-1]
        return convolution(x, kernel, parameters.get(f"cnn/{name}/bias"), strides, padding, act, groups)

    for layer in layers:
        kind, name = layer["type"], layer["name"]
        strides = network.pair(layer.get("strides") or layer.get("pool", 1))
        if kind in ("conv2d", "depthwise_conv2d"):
            x = convolve(name, x, strides, layer["padding"], layer.get("groups", 1), layer["activation"])
        elif kind == "separable_conv2d":
            x = convolve(f"{name}_depthwise", x, strides, layer["padding"])
            x = convolve(f"{name}_pointwise", x, act=layer["activation"])
        elif kind == "batch_normalization":
            keys = [f"cnn/{name}/{key}" for key in ["gamma", "beta", "moving_mean", "moving_variance"]]
            x, parameters[keys[2]], parameters[keys[3]] = batch_normalization(
                x, *(parameters[key] for key in keys), name in normalized, None, layer["momentum"], layer["epsilon"])
            x = map_activation(layer["activation"], x)
        elif kind == "activation":
            x = map_activation(layer["activation"], x)
        elif kind == "max_pooling2d":
            pool = network.pair(layer["pool"])
            x = max_pooling(padded(x, pool, strides, layer["padding"], -math.inf), pool, strides)
        elif kind == "average_pooling2d":
            x = average_pooling(x, network.pair(layer["pool"]), strides, layer["padding"])
        elif kind == "zero_padding2d":
            rows, columns = network.pair(layer["padding"])
            x = F.pad(x, (0, 0, columns, columns, rows, rows))
        elif kind == "squeeze_excite":
            gate = convolve(f"{name}_reduce", x.mean((1, 2), keepdim=True), act=layer["activation"])
            x = x * convolve(f"{name}_expand", gate, act=layer["gate"])
        elif kind == "residual":
            y = run_layers(layer["shortcut"], x, parameters, normalized)
            x = map_activation(layer["activation"], run_layers(layer["layers"], x, parameters, normalized) + y)
    return x


def average_pooling(x, pool, strides, padding):
    """The zeros of PyTorch's padding count, those of Keras's do not."""
    def sums(x):
        windows = padded(x, pool, strides, padding).unfold(1, pool[0], strides[0]).unfold(2, pool[1], strides[1])
        return windows.sum((-2, -1))

    return sums(x) / (sums(torch.ones_like(x[:1])) if padding == "same" else pool[0] * pool[1])


def features_of(maps, model):
    """Features (N, F) of the last maps."""
    return {"average": lambda: maps.mean((1, 2)), "max": lambda: maps.amax((1, 2)), "flatten": lambda: maps.flatten(1)}[
        model["cnn"]["pooling"]]()


def pooled(maps, model):
    """Features (N, F) of the last convolution's output; a CNN without blocks takes it as it is."""
    return features_of(max_pooling(maps) if network.blocks(model) else maps, model)


def logits(frames, parameters, model, mask=None, training=False):
    """Logits (B, classes) of preprocessed frames (B, T, rows, columns, channels) or vectors (B, T, F)."""
    features = encode(frames.flatten(0, 1), parameters, model, training).unflatten(0, frames.shape[:2])
    return head(features, parameters, model, mask, training)


def head(x, parameters, model, mask=None, training=False):
    """Logits (B, classes) of features (B, T, F). While training, new moving statistics replace those in `parameters`."""

    def values(name, *keys):
        return [parameters[f"{name}/{key}"] for key in keys]

    def normalize(name, layer, x, mask=None):
        epsilon = layer.get("epsilon", 1e-3)
        if layer["type"] == "layer_normalization":
            return layer_normalization(x, *values(name, "gamma", "beta"), epsilon)
        moving = [f"{name}/{key}" for key in ["moving_mean", "moving_variance"]]
        x, parameters[moving[0]], parameters[moving[1]] = batch_normalization(
            x, *values(name, "gamma", "beta", "moving_mean", "moving_variance"), training, mask, layer.get("momentum", 0.99), epsilon)
        return x

    final = network.final_state(model)
    for i, layer in enumerate(model["recurrent"]):
        name = f"recurrent_{i}"
        if layer["type"] in network.NORMALIZATIONS:
            # Behind the final state there are no steps.
            x = normalize(name, layer, x, mask if x.ndim == 3 else None)
        elif layer["type"] == "conv1d":
            x = convolution_over_time(
                x, parameters[f"{name}/kernel"], parameters.get(f"{name}/bias"), mask, layer.get("padding", "same"),
                layer.get("dilation_rate", 1), layer.get("activation", "linear"))
        elif layer["type"] == "attention":
            x = attention(x, values(name, *ATTENTION), mask, layer.get("use_causal_mask", False))
        else:
            weights = [weight for way in network.recurrent_names(i, layer) for weight in values(way, "kernel", "recurrent_kernel", "bias")]
            x = recurrent(layer["type"], x, weights, mask, i != final,
                          recurrent_activation=layer.get("recurrent_activation", "hard_sigmoid"), name=layer.get("activation", "tanh"))
    if final is None and model.get("pooling_over_time") == "flatten":
        x = (x if mask is None else x * mask[:, :, None]).flatten(1)
    elif final is None:
        x = mean_over_time(x, mask)
    for i, layer in enumerate(model["hidden"]):
        name = f"hidden_{i}"
        if layer["type"] in network.NORMALIZATIONS:
            x = normalize(name, layer, x)
        elif layer["type"] == "dense":
            x = dense(x, *values(name, "kernel", "bias"), layer.get("activation", "relu"))
    return x @ parameters["output/kernel"] + parameters["output/bias"]


def probabilities(frames, parameters, model, mask):
    """Softmax outputs for NumPy's frames, parameters and mask; the parameters must be those that the configuration calls for."""
    tensors = {name: torch.tensor(values) for name, values in parameters.items()}
    expected = network.parameter_shapes(model, len(parameters["output/bias"]))
    assert {name: tuple(values.shape) for name, values in tensors.items()} == expected, "other tensors than the config says"
    with torch.no_grad():
        return torch.softmax(logits(torch.tensor(frames.copy()), tensors, model, torch.tensor(mask)), -1).numpy()


def with_gradients(parameters, model, dtype):
    """Copies of the parameters in `dtype`, the trainable ones as leaves of autograd."""
    copies = {}
    for name, values in parameters.items():
        copies[name] = torch.tensor(values, dtype=dtype).requires_grad_(network.is_trainable(name, model))
    return copies


def read_weights(path, model, dtype=torch.float32):
    """The convolutions of Keras's HDF5 file by their names in a checkpoint."""
    import h5py

    found = {}
    with h5py.File(path) as file:
        for name in network.convolution_names(model):
            for values in file[name].values():
                found[f"cnn/{name}/{'kernel' if values.ndim == 4 else 'bias'}"] = torch.tensor(values[:], dtype=dtype)
    return found


# The same of PyTorch's own modules, as its users write it, random: for measuring time.


def cnn_module(model):
    """The CNN on frames (N, channels, rows, columns), pooled by the average."""
    layers, channels = [], model["input"]["channels"]
    for block in network.blocks(model):
        for filters in block:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Head(nn.Module):
    """LSTM, dense and logits on features (B, T, F). PyTorch's LSTM has no hard sigmoid; the sigmoid costs it no more."""

    def __init__(self, model, features, classes):
        super().__init__()
        units, hidden = model["recurrent"][0]["units"], model["hidden"][0]["units"]
        self.recurrent = nn.LSTM(features, units, batch_first=True)
        self.hidden = nn.Linear(units, hidden)
        self.output = nn.Linear(hidden, classes)

    def forward(self, features):
        states, _ = self.recurrent(features)
        return self.output(torch.relu(self.hidden(states[:, -1])))


class Classifier(nn.Module):
    """The whole on frames (B x T, channels, rows, columns), which keeps the channels-last order possible."""

    def __init__(self, cnn, features, model, classes):
        super().__init__()
        self.frames = model["input"]["frames"]
        self.cnn = cnn
        self.head = Head(model, features, classes)

    def forward(self, frames):
        return self.head(self.cnn(frames).unflatten(0, (-1, self.frames)))
