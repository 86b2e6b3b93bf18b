"""Goldens of whole trainings: small classifiers trained for 20 steps, every parameter of the CNN, the recurrent layers
and the hidden layers compared at the end."""

import numpy as np
import torch

from maintain import network
from maintain import torch_network as reference

from . import keras_check
from .golden import Golden, check

STEPS = 20


def configuration(frames, channels, rows, columns, blocks, pooling, recurrent, hidden, trainable=True, **others):
    return others | {"model": {
        "input": {"frames": frames, "channels": channels, "rows": rows, "columns": columns},
        "cnn": {"architecture": {"blocks": blocks}, "weights": None, "trainable": trainable, "pooling": pooling},
        "recurrent": recurrent, "hidden": hidden}}


# The classic model in small: VGG, LSTM with Keras 1's gates, MLP, Nadam; everything is trained.
VGG_LSTM_MLP = configuration(
    3, 3, 8, 8, [[4], [8]], "average",
    [{"type": "lstm", "units": 5, "recurrent_activation": "hard_sigmoid"}],
    [{"type": "dense", "units": 7, "activation": "relu"}],
    optimizer={"type": "nadam", "learning_rate": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "schedule_decay": 0.004},
    training={"batch_size": 4, "label_smoothing": 0.0})

# Everything else at once: a frozen first convolution, masks, batch normalisation of features and of the clip's vector,
# a bidirectional GRU under an LSTM, label smoothing, clipping, weight decay. Not Adam: the batch normalisation undoes what the
# bias before it adds, so that bias's gradient is next to nothing but rounding, which Adam would scale up to whole steps.
MASKED_MIXTURE = configuration(
    4, 2, 9, 6, [[4], [5, 6]], "max",
    [{"type": "batch_normalization"},
     {"type": "gru", "units": 3, "recurrent_activation": "sigmoid", "bidirectional": True},
     {"type": "lstm", "units": 4, "recurrent_activation": "sigmoid"}],
    [{"type": "dense", "units": 6, "activation": "tanh"}, {"type": "batch_normalization"}],
    trainable="block2_conv1",
    optimizer={"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True, "clip_norm": 0.5, "weight_decay": 0.01},
    training={"batch_size": 5, "label_smoothing": 0.1})

# The other layers over time: a convolution before an LSTM, attention and a convolution after it, so that the mean over the steps that
# count follows.
CONVOLUTION_LSTM_ATTENTION = configuration(
    5, 1, 8, 8, [[4], [6]], "average",
    [{"type": "layer_normalization"},
     {"type": "conv1d", "filters": 5, "kernel_size": 3, "padding": "same", "activation": "tanh"},
     {"type": "lstm", "units": 6, "recurrent_activation": "sigmoid"},
     {"type": "batch_normalization"},
     {"type": "attention", "num_heads": 2, "use_causal_mask": True},
     {"type": "conv1d", "filters": 4, "kernel_size": 2, "padding": "causal", "dilation_rate": 2, "activation": "sigmoid"}],
    [{"type": "dense", "units": 6, "activation": "tanh"}, {"type": "layer_normalization"}],
    optimizer={"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": False},
    training={"batch_size": 5, "label_smoothing": 0.0})
CLASSES = 3
BATCHES = 5

MAKERS = [lambda: training("training_vgg_lstm_mlp", VGG_LSTM_MLP, seed=41, masked=False),
          lambda: training("training_masked_mixture", MASKED_MIXTURE, seed=42, masked=True),
          lambda: training("training_layers_over_time", CONVOLUTION_LSTM_ATTENTION, seed=43, masked=True)]


def initial_parameters(golden, model):
    """Uniform within Glorot's limits; biases not zero, so that each has a value to be wrong."""
    parameters = {}
    for name, shape in network.parameter_shapes(model, CLASSES).items():
        if name.endswith(("gamma", "moving_variance")):
            parameters[name] = golden.uniform(*shape, low=0.5, high=1.5)
        elif name.endswith("kernel"):
            matrix = heads_together(name, shape)
            field = int(np.prod(matrix[:-2]))
            limit = np.sqrt(6 / (field * (matrix[-2] + matrix[-1])))
            parameters[name] = golden.uniform(*shape, low=-limit, high=limit)
        else:
            parameters[name] = golden.uniform(*shape, low=-0.2, high=0.2)
    return parameters


def heads_together(name, shape):
    """The shape of an attention's kernel as a matrix; that of other kernels as it is."""
    part = name.split("/")[-2]
    if part in ("query", "key", "value"):
        return shape[0], shape[1] * shape[2]
    return (shape[0] * shape[1], shape[2]) if part == "attention_output" else shape


def has_gradient(name):
    """Softmax does not change when all scores of a query do, so the gradient of the keys' bias is zero, or rounding."""
    return not name.endswith("/key/bias")


def training(name, configuration, seed, masked):
    golden = Golden(name, seed)
    model, batch = configuration["model"], configuration["training"]["batch_size"]
    size = [model["input"][key] for key in ["frames", "rows", "columns", "channels"]]
    labels = golden.random.integers(0, CLASSES, (BATCHES, batch))
    frames = golden.uniform(BATCHES, batch, *size)
    # A brightness that changes over the frames as the class says: something to learn.
    slope = np.linspace(-1, 1, size[0], dtype=np.float32)[None, None, :, None, None, None]
    frames += slope * (labels[:, :, None, None, None, None].astype(np.float32) - 1)
    lengths = golden.random.integers(1, size[0] + 1, (BATCHES, batch)) if masked else np.full((BATCHES, batch), size[0])
    mask = (np.arange(size[0]) < lengths[:, :, None]).astype(np.float32) if masked else None

    initial = initial_parameters(golden, model)
    runs = {dtype: run(configuration, initial, frames, mask, labels, dtype) for dtype in [torch.float64, torch.float32]}
    exact, single = runs[torch.float64], runs[torch.float32]
    drift = {key: relative(single["final"][key], exact["final"][key]) for key in initial}
    worst = max(drift, key=drift.get)
    moved = min(relative(initial[key], exact["final"][key]) for key in initial
                if network.is_trainable(key, model) and has_gradient(key))
    print(f"{name}: loss {exact['losses'][0]:.4f} -> {exact['losses'][-1]:.4f}; PyTorch's float32 is within "
          f"{drift[worst]:.2g} of its float64 ({worst}), parameters moved by {moved:.2g} at least")
    assert drift[worst] < 5e-5 and moved > 1e-2

    probabilities = [keras_check.probabilities(frames[0], exact["final"], model, None if mask is None else mask[0]),
                     exact["probabilities"]]
    check(f"{name}/probabilities", *probabilities, 1e-7)

    golden.notes = {"config": configuration, "classes": [str(i) for i in range(CLASSES)], "float32_drift": drift[worst]}
    golden.add("frames", frames.reshape(BATCHES, batch * size[0], *size[1:]))
    golden.add("labels", labels)
    if masked:
        golden.add("mask", mask)
    golden.add("losses", exact["losses"])
    golden.add("probabilities", exact["probabilities"])
    for key in initial:
        golden.add(f"initial/{key}", initial[key])
        golden.add(f"final/{key}", exact["final"][key])
        golden.add(f"final_float32/{key}", single["final"][key])
        if key in exact["gradients"] and has_gradient(key):
            golden.add(f"first_gradient/{key}", exact["gradients"][key])
    return golden


def relative(found, expected):
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def optimizer(settings, parameters):
    if settings["type"] == "nadam":
        return torch.optim.NAdam(
            parameters, lr=settings["learning_rate"], betas=(settings["beta_1"], settings["beta_2"]),
            eps=settings["epsilon"], momentum_decay=settings["schedule_decay"])
    return torch.optim.SGD(parameters, lr=settings["learning_rate"], momentum=settings["momentum"],
                           nesterov=settings["nesterov"])


def run(configuration, initial, frames, mask, labels, dtype):
    """20 steps; losses, the first step's gradients before clipping, final parameters, and what the trained classifier
    predicts for the first batch."""
    model = configuration["model"]
    parameters = reference.with_gradients(initial, model, dtype)
    trained = {key: value for key, value in parameters.items() if network.is_trainable(key, model)}
    stepper = optimizer(configuration["optimizer"], trained.values())
    losses, gradients = [], None

    def logits_of(index, training):
        step_mask = None if mask is None else torch.tensor(mask[index], dtype=dtype)
        return reference.logits(torch.tensor(frames[index], dtype=dtype), parameters, model, step_mask, training)

    for step in range(STEPS):
        index = step % BATCHES
        logits = logits_of(index, training=True)
        loss = reference.cross_entropy(logits, torch.tensor(labels[index]), configuration["training"]["label_smoothing"])
        stepper.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {key: value.grad.numpy().copy() for key, value in trained.items()}
        clip_and_decay(configuration["optimizer"], trained.values())
        stepper.step()
    return {"losses": losses, "gradients": gradients,
            "probabilities": torch.softmax(logits_of(0, training=False), -1).detach().numpy(),
            "final": {key: value.detach().numpy() for key, value in parameters.items()}}


def clip_and_decay(settings, parameters):
    """Scales gradients whose norm over all parameters exceeds clip_norm down to it; then the decoupled decay."""
    if "clip_norm" in settings:
        norm = torch.sqrt(sum((value.grad ** 2).sum() for value in parameters)).item()
        for value in parameters:
            value.grad *= settings["clip_norm"] / max(norm, settings["clip_norm"])
    with torch.no_grad():
        for value in parameters:
            value *= 1 - settings["learning_rate"] * settings.get("weight_decay", 0.0)
