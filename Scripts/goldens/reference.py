"""vidclass's layers written out in PyTorch, in vidclass's layouts; PyTorch's autograd gives the gradients.

Layouts: images (N, rows, columns, channels), kernels (rows, columns, in, out), sequences (batch, steps, features),
Dense kernels (in, units), LSTM gates i, f, c, o, GRU gates z, r, h with reset_after and a (2, 3 units) bias, as Keras.
Every function runs in the precision of its inputs.
"""

import math

import torch
import torch.nn.functional as F

BATCH_NORMALIZATION_EPSILON = 1e-3
BATCH_NORMALIZATION_MOMENTUM = 0.99


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


def convolution(x, kernel, bias, stride=(1, 1), padding="same", name="linear"):
    if padding == "same":
        top, bottom = same_padding(x.shape[1], kernel.shape[0], stride[0])
        left, right = same_padding(x.shape[2], kernel.shape[1], stride[1])
        x = F.pad(x, (0, 0, left, right, top, bottom))
    y = F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), bias, stride)
    return activation(name, y.permute(0, 2, 3, 1))


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


def cross_entropy(logits, labels, smoothing=0.0):
    """Mean over the batch of the cross-entropy with one-hot labels smoothed to y (1 - s) + s / classes."""
    classes = logits.shape[-1]
    targets = F.one_hot(labels, classes).to(logits.dtype) * (1 - smoothing) + smoothing / classes
    return -(targets * torch.log_softmax(logits, -1)).sum(-1).mean()
