"""Goldens of explanations: Grad-CAM on the last convolution and integrated gradients over the frames' features, of small
random classifiers, by autograd.

Grad-CAM (Selvaraju et al. 2017): weights = the mean over positions of d(score)/dA, map = ReLU(sum over channels of
weights A), A the last convolution's output behind its ReLU. Integrated gradients (Sundararajan et al. 2017): the
midpoints of 64 equal pieces of the straight path from zero features to the clip's.
"""

import numpy as np
import torch
from maintain import environment
from maintain import torch_network as network

from .golden import Golden, check, double
from .training import CLASSES, configuration, initial_parameters

POINTS = 64

# name: configuration, frames that count, class, class against
CASES = {
    # The classic model in small.
    "explain_lstm_average": (configuration(
        4, 3, 8, 12, [[4], [6, 8]], "average",
        [{"type": "lstm", "units": 5, "recurrent_activation": "hard_sigmoid"}],
        [{"type": "dense", "units": 7, "activation": "relu"}]), 4, 1, None),
    # Batch normalisation before and behind, two directions, a GRU, padding, one class against another.
    "explain_gru_max": (configuration(
        5, 1, 9, 8, [[4], [6]], "max",
        [{"type": "batch_normalization"},
         {"type": "gru", "units": 3, "recurrent_activation": "sigmoid", "bidirectional": True},
         {"type": "lstm", "units": 4, "recurrent_activation": "sigmoid"}],
        [{"type": "dense", "units": 6, "activation": "tanh"}, {"type": "batch_normalization"}]), 3, 2, 0),
    # Features that know their place.
    "explain_gru_flatten": (configuration(
        3, 2, 8, 8, [[3], [4]], "flatten",
        [{"type": "gru", "units": 6, "recurrent_activation": "hard_sigmoid"}], []), 3, 0, None),
    # No recurrent layer at all: the mean over the frames that count.
    "explain_mean": (configuration(
        4, 3, 8, 8, [[4], [5]], "average", [], [{"type": "dense", "units": 6, "activation": "relu"}]), 3, 1, None),
    # A convolution over time and attention, then the mean over the frames that count.
    "explain_attention": (configuration(
        5, 1, 8, 8, [[4], [6]], "average",
        [{"type": "conv1d", "filters": 5, "kernel_size": 3, "padding": "same", "activation": "tanh"},
         {"type": "attention", "num_heads": 2, "key_dim": 3}],
        [{"type": "layer_normalization"}, {"type": "dense", "units": 6, "activation": "tanh"}]), 3, 1, 2),
}


def write(folder):
    for index, (name, case) in enumerate(CASES.items()):
        explanation(name, *case, seed=70 + index).save(folder, environment.installed(environment.NETWORKS))


def explanation(name, config, valid, target, against, seed):
    golden = Golden(name, seed)
    model = config["model"]
    size = model["input"]
    parameters = {key: double(values) for key, values in initial_parameters(golden, model).items()}
    for key, values in parameters.items():
        golden.add(f"parameters/{key}", values)
    frames = 4 * golden.uniform(size["frames"], size["rows"], size["columns"], size["channels"])
    mask = double(np.arange(size["frames"]) < valid)[None] if valid < size["frames"] else None

    def score(features):
        logits = network.head(features, parameters, model, None if mask is None else mask.expand(len(features), -1))
        values = logits[:, target] - (logits[:, against] if against is not None else 0)
        return values, logits

    activations = network.last_maps(double(frames), parameters, model).detach().requires_grad_()
    features = network.pooled(activations, model)
    value, logits = score(features[None])
    check(f"{name}/logits", logits.detach(), network.logits(double(frames)[None], parameters, model, mask).detach())
    value.sum().backward()
    gradient = activations.grad
    weights = gradient.mean((1, 2))
    maps = torch.relu((weights[:, None, None, :] * activations.detach()).sum(-1))

    features = features.detach()
    shares = (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS
    path = (shares[:, None, None] * features).requires_grad_()
    score(path)[0].sum().backward()
    contributions = (features * path.grad.mean(0)).sum(-1)
    baseline = score(torch.zeros_like(features)[None])[0].detach()
    missing = (contributions.sum() - (value.detach() - baseline)).abs().item()
    print(f"{name}: score {value.item():.4f}, nothing {baseline.item():.4f}, contributions {contributions.numpy().round(3)}, "
          f"missing {missing:.2g}, hottest {maps.max().item():.3g}")
    # A ReLU that opens on the way costs a midpoint its piece: 1/64 of what it adds.
    assert missing < 0.02 * (value.detach() - baseline).abs().item() and (maps > 0).any()
    if valid < size["frames"]:
        assert not contributions[valid:].any() and not weights[valid:].any()

    golden.notes = {"config": config, "classes": [str(i) for i in range(CLASSES)], "valid": valid, "target": target,
                    "against": against, "missing": missing}
    for key, values in {"frames": frames, "logits": logits[0], "score": value, "baseline": baseline, "maps": maps,
                        "weights": weights, "contributions": contributions}.items():
        golden.add(key, values)
    return golden
