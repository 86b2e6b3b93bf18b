"""PyTorch: trains the configuration's network once a seed, from Keras's initialisers, by NAdam, which is vidclass's Nadam."""

import math

import h5py
import shared
import torch
from goldens import model as network

# Of the CNN's pass over all frames.
ENCODED_AT_ONCE = 64


def main():
    options = shared.parse()
    torch.set_num_threads(options.threads)
    # Denormal numbers of an overfitted network would only cost time.
    torch.set_flush_denormal(True)
    parts, classes = shared.parts(options)
    tensors = {name: (torch.tensor(part.inputs), torch.tensor(part.truth)) for name, part in parts.items()}
    model = options.config["model"]
    if not model["cnn"]["trainable"]:
        model, tensors = encoded(options, tensors)
    shared.answer([train(options.config, model, tensors, classes, seed) for seed in range(1, options.seeds + 1)])


def encoded(options, tensors):
    """The model behind the frozen layers and its inputs: a feature vector is a frame of one pixel to a CNN without blocks."""
    model = options.config["model"]
    parameters = weights(options.weights, network.convolution_names(model))
    found = {}
    with torch.no_grad():
        for name, (frames, truth) in tensors.items():
            features = torch.cat([network.encode(some, parameters, model) for some in frames.flatten(0, 1).split(ENCODED_AT_ONCE)])
            found[name] = (features.reshape(*frames.shape[:2], 1, 1, -1), truth)
    pixel = {"frames": model["input"]["frames"], "channels": features.shape[-1], "rows": 1, "columns": 1}
    return model | {"input": pixel, "cnn": {"architecture": {"blocks": []}, "pooling": "average", "trainable": True}}, found


def weights(path, names):
    """The convolutions of Keras's file by their names in a checkpoint."""
    found = {}
    with h5py.File(path) as file:
        for name in names:
            for values in file[name].values():
                found[f"cnn/{name}/{'kernel' if values.ndim == 4 else 'bias'}"] = torch.tensor(values[:])
    return found


def train(config, model, tensors, classes, seed):
    torch.manual_seed(seed)
    settings, training = config["optimizer"], config["training"]
    parameters = {name: torch.nn.Parameter(initial(name, shape)) for name, shape in network.parameter_shapes(model, classes).items()}
    optimizer = torch.optim.NAdam(parameters.values(), lr=settings["learning_rate"], betas=(settings["beta_1"], settings["beta_2"]),
                                  eps=settings["epsilon"], momentum_decay=settings["schedule_decay"])
    inputs, truth = tensors["train"]
    outcome = shared.Outcome(training["epochs"])
    for _ in range(training["epochs"]):
        total = 0.0
        for batch in torch.randperm(len(truth)).split(training["batch_size"]):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(network.logits(inputs[batch], parameters, model), truth[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        outcome.note(total / len(truth), score(parameters, model, *tensors["val"]),
                     lambda: score(parameters, model, *tensors["test"]))
    return outcome


def initial(name, shape):
    """Keras's: Glorot uniform kernels, orthogonal recurrent ones, zero biases but ones for an LSTM's forget gate (i, f, c, o)."""
    values = torch.zeros(shape)
    if name.endswith("/recurrent_kernel"):
        torch.nn.init.orthogonal_(values)
    elif name.endswith("/kernel"):
        taps = math.prod(shape[:-2])
        limit = math.sqrt(6 / (taps * (shape[-2] + shape[-1])))
        values.uniform_(-limit, limit)
    elif name.startswith("recurrent_"):
        units = shape[0] // 4
        values[units:2 * units] = 1
    return values


def score(parameters, model, inputs, truth):
    with torch.no_grad():
        outputs = network.logits(inputs, parameters, model)
    return (outputs.argmax(-1) == truth).float().mean().item(), torch.nn.functional.cross_entropy(outputs, truth).item()


if __name__ == "__main__":
    main()
