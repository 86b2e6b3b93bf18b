"""Goldens of the optimisers: 20 steps on given gradients, the parameters after each."""

import keras
import numpy as np
import tensorflow as tf
import torch

from .golden import Golden, check, double

STEPS = 20
SHAPES = {"kernel": (4, 3), "bias": (5,)}

# By PyTorch. Its NAdam is Keras 1's and 2's Nadam (Keras 3 schedules mu by 0.96^t, without the schedule_decay).
# name: (torch optimiser, its options, clip norm, the same in Keras or None)
BY_TORCH = {
    "nadam": ("NAdam", dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004), None, None),
    # A decay that shows which mu goes where, and an epsilon that shows its place.
    "nadam_schedule": ("NAdam", dict(lr=0.002, eps=1e-3, momentum_decay=2.0), None, None),
    "nadam_weight_decay": ("NAdam", dict(lr=0.002, eps=1e-8, momentum_decay=0.004, weight_decay=2.0,
                                         decoupled_weight_decay=True), None, None),
    "nadam_clip_norm": ("NAdam", dict(lr=0.002, eps=1e-8, momentum_decay=0.004), 1.5, None),
    "sgd": ("SGD", dict(lr=0.01), None, dict()),
    "sgd_clip_norm": ("SGD", dict(lr=0.01), 1.5, dict(global_clipnorm=1.5)),
    "sgd_momentum": ("SGD", dict(lr=0.01, momentum=0.9), None, dict(momentum=0.9)),
    "sgd_nesterov": ("SGD", dict(lr=0.01, momentum=0.9, nesterov=True), None, dict(momentum=0.9, nesterov=True)),
}

# By Keras's formulas (`adam`, `rmsprop` below), whose epsilon has another place than PyTorch's.
# name: (formula, its options, Keras optimiser, its options besides the learning rate)
BY_FORMULA = {
    "adam": ("adam", dict(epsilon=1e-8), "Adam", dict(epsilon=1e-8)),
    "adam_epsilon": ("adam", dict(epsilon=1e-3), "Adam", dict(epsilon=1e-3)),
    "adam_weight_decay": ("adam", dict(epsilon=1e-8, decay=2.0), "AdamW", dict(epsilon=1e-8, weight_decay=2.0)),
    "adam_clip_norm": ("adam", dict(epsilon=1e-8, clip=1.5), "Adam", dict(epsilon=1e-8, global_clipnorm=1.5)),
    "rmsprop": ("rmsprop", dict(epsilon=1e-3), "RMSprop", dict(epsilon=1e-3)),
    "rmsprop_momentum": ("rmsprop", dict(epsilon=1e-3, momentum=0.9), "RMSprop", dict(epsilon=1e-3, momentum=0.9)),
}
LEARNING_RATE = {"SGD": 0.01, "Adam": 0.002, "AdamW": 0.002, "RMSprop": 0.001}


def optimizers():
    golden = Golden("optimizers", seed=31)
    # As small as the way they go in 20 steps: what is compared is the steps, not the values they start from.
    initial = {name: golden.uniform(*shape, low=-0.02, high=0.02) for name, shape in SHAPES.items()}
    gradients = {name: golden.uniform(STEPS, *shape) for name, shape in SHAPES.items()}
    # Some steps are below a clip norm of 1.5 and some above; gradients differ by orders of magnitude.
    scale = np.logspace(-2, 0.5, STEPS).astype(np.float32)[golden.random.permutation(STEPS)]
    gradients = {name: g * scale.reshape(-1, *[1] * (g.ndim - 1)) for name, g in gradients.items()}
    norms = [norm(gradients, step) for step in range(STEPS)]
    assert min(norms) < 1.4 and max(norms) > 1.6
    for name in SHAPES:
        golden.add(f"initial/{name}", initial[name])
        golden.add(f"gradients/{name}", gradients[name])
    all_steps = {}
    for case, (optimizer, options, clip, keras_options) in BY_TORCH.items():
        all_steps[case] = torch_steps(optimizer, options, clip, initial, gradients)
        if keras_options is not None:
            keras_check(case, optimizer, keras_options, initial, gradients, all_steps[case])
    for case, (formula, options, optimizer, keras_options) in BY_FORMULA.items():
        rule = {"adam": adam, "rmsprop": rmsprop}[formula]
        all_steps[case] = rule(initial, gradients, LEARNING_RATE[optimizer], **options)
        keras_check(case, optimizer, keras_options, initial, gradients, all_steps[case])
    for case, steps in all_steps.items():
        for name in SHAPES:
            golden.add(f"{case}/{name}", np.stack(steps[name]))
    return golden


def norm(gradients, step):
    return float(np.sqrt(sum((g[step].astype(np.float64) ** 2).sum() for g in gradients.values())))


def clip_factor(gradients, step, clip):
    """What gradients are multiplied by so that their norm over all parameters is at most `clip`."""
    return 1.0 if clip is None else clip / max(norm(gradients, step), clip)


def torch_steps(optimizer, options, clip, initial, gradients):
    parameters = {name: torch.nn.Parameter(double(values)) for name, values in initial.items()}
    stepper = getattr(torch.optim, optimizer)(parameters.values(), **options)
    steps = {name: [] for name in parameters}
    for step in range(STEPS):
        for name, parameter in parameters.items():
            parameter.grad = double(gradients[name][step]) * clip_factor(gradients, step, clip)
        stepper.step()
        for name, parameter in parameters.items():
            steps[name].append(parameter.detach().numpy().copy())
    return steps


def adam(initial, gradients, learning_rate, epsilon, beta_1=0.9, beta_2=0.999, decay=0.0, clip=None):
    """Kingma and Ba's second form, as in Keras: epsilon is added to the uncorrected root. The decay is decoupled."""
    steps = {}
    for name, values in initial.items():
        p, m, v, steps[name] = values.astype(np.float64), 0.0, 0.0, []
        for t, gradient in enumerate(gradients[name].astype(np.float64), 1):
            g = gradient * clip_factor(gradients, t - 1, clip)
            m = beta_1 * m + (1 - beta_1) * g
            v = beta_2 * v + (1 - beta_2) * g**2
            rate = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            p = p * (1 - learning_rate * decay) - rate * m / (np.sqrt(v) + epsilon)
            steps[name].append(p)
    return steps


def rmsprop(initial, gradients, learning_rate, epsilon, rho=0.9, momentum=0.0):
    """Keras 3's formula, with epsilon under the root."""
    steps = {}
    for name, values in initial.items():
        p, v, m, steps[name] = values.astype(np.float64), 0.0, 0.0, []
        for g in gradients[name].astype(np.float64):
            v = rho * v + (1 - rho) * g**2
            m = momentum * m + learning_rate * g / np.sqrt(v + epsilon)
            p = p - m
            steps[name].append(p)
    return steps


def keras_check(case, optimizer, options, initial, gradients, steps):
    variables = [keras.Variable(values.astype(np.float64), dtype="float64") for values in initial.values()]
    stepper = getattr(keras.optimizers, optimizer)(learning_rate=LEARNING_RATE[optimizer], **options)
    for step in range(STEPS):
        stepper.apply([tf.constant(g[step].astype(np.float64)) for g in gradients.values()], variables)
        for variable, name in zip(variables, initial):
            # Keras keeps its learning rate and the powers of beta in single precision.
            check(f"{case}/{name} after step {step + 1}", variable.numpy(), steps[name][step], 1e-5)
