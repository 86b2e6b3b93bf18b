"""PyTorch: trains the configuration's network once a seed, from Keras's initialisers, by NAdam, which is vidclass's Nadam."""

import math

import torch
from maintain import network, torch_network

from . import programs

# Frames in one pass of the CNN.
ENCODED_AT_ONCE = 64


def main():
    options = programs.parse()
    torch.set_num_threads(options.threads)
    # Denormal numbers of an overfitted network would only cost time.
    torch.set_flush_denormal(True)
    splits, classes = programs.splits(options)
    tensors = {name: (torch.tensor(split.inputs), torch.tensor(split.truth)) for name, split in splits.items()}
    forward, model = torch_network.logits, options.config["model"]
    if not model["cnn"]["trainable"]:
        forward, tensors = torch_network.head, encoded(options, tensors)
    programs.answer([train(options.config, forward, tensors, classes, seed) for seed in range(1, options.seeds + 1)])


def encoded(options, tensors):
    """The features of all frames: the layers that make them never change."""
    model = options.config["model"]
    parameters = torch_network.read_weights(options.weights, model)
    found = {}
    with torch.no_grad():
        for name, (frames, truth) in tensors.items():
            features = torch.cat([torch_network.encode(some, parameters, model) for some in frames.flatten(0, 1).split(ENCODED_AT_ONCE)])
            found[name] = (features.unflatten(0, frames.shape[:2]), truth)
    return found


def train(config, forward, tensors, classes, seed):
    torch.manual_seed(seed)
    model, settings, training = config["model"], config["optimizer"], config["training"]
    parameters = {name: torch.nn.Parameter(initial(name, shape)) for name, shape in network.parameter_shapes(model, classes).items()
                  if forward is torch_network.logits or not name.startswith("cnn/")}
    optimizer = torch.optim.NAdam(parameters.values(), lr=settings["learning_rate"], betas=(settings["beta_1"], settings["beta_2"]),
                                  eps=settings["epsilon"], momentum_decay=settings["schedule_decay"])
    inputs, truth = tensors["train"]
    outcome = programs.Outcome(training["epochs"])
    for _ in range(training["epochs"]):
        total = 0.0
        for batch in torch.randperm(len(truth)).split(training["batch_size"]):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(forward(inputs[batch], parameters, model), truth[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        outcome.note(total / len(truth), score(forward, parameters, model, *tensors["val"]),
                     lambda: score(forward, parameters, model, *tensors["test"]))
    return outcome


def initial(name, shape):
    """Keras's initial values: Glorot uniform kernels, orthogonal recurrent ones, zero biases but ones for an LSTM's forget gate."""
    values = torch.zeros(shape)
    if name.endswith("/recurrent_kernel"):
        torch.nn.init.orthogonal_(values)
    elif name.endswith("/kernel"):
        taps = math.prod(shape[:-2])
        limit = math.sqrt(6 / (taps * (shape[-2] + shape[-1])))
        values.uniform_(-limit, limit)
    elif name.startswith("recurrent_"):
        units = shape[0] // 4
        values[units:2 * units] = 1  # gates i, f, c, o
    return values


def score(forward, parameters, model, inputs, truth):
    with torch.no_grad():
        outputs = forward(inputs, parameters, model)
    return (outputs.argmax(-1) == truth).float().mean().item(), torch.nn.functional.cross_entropy(outputs, truth).item()


if __name__ == "__main__":
    main()
