"""Goldens of the layers over features and sequences, and of the loss."""

import keras
import numpy as np
import torch
from maintain import torch_network as reference

from . import keras_check
from .golden import Golden, away_from, check, double

BATCH, STEPS, FEATURES, UNITS = 4, 6, 7, 5

# Clips of 6, 3, 1 and 4 steps, and one gap, which pads cannot make but Keras's masking allows.
MASK = np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 1, 0]], dtype=np.float32)


def dense():
    golden = Golden("dense", seed=21)
    for name in ["linear", "relu", "tanh", "sigmoid", "hard_sigmoid", "softmax"]:
        tensors = {
            "input": golden.uniform(5, 19, low=-2, high=2),
            "kernel": golden.uniform(19, 11),
            "bias": golden.uniform(11),
        }
        case = golden.layer(name, lambda x, k, b: reference.dense(x, k, b, name), tensors)
        linear = tensors["input"].astype(np.float64) @ tensors["kernel"] + tensors["bias"]
        away_from(name, linear, {"relu": [0], "hard_sigmoid": [-2.5, 2.5]}.get(name, []))
        keras_check.layer(
            name, lambda: keras.layers.Dense(11, activation=keras_check.activation(name)), case,
            ["kernel", "bias"])
    return golden


def parameters(golden, gates, prefix=""):
    bias = (2, gates * UNITS) if gates == 3 else (gates * UNITS,)
    return {
        f"{prefix}kernel": golden.uniform(FEATURES, gates * UNITS),
        f"{prefix}recurrent_kernel": golden.uniform(UNITS, gates * UNITS),
        f"{prefix}bias": golden.uniform(*bias),
    }


def recurrent():
    """LSTM and GRU, each gate function, one and two directions, final state and all outputs, with and without mask."""
    golden = Golden("recurrent", seed=22)
    for kind, gates, keras_layer in [("lstm", 4, keras.layers.LSTM), ("gru", 3, keras.layers.GRU)]:
        for gate in ["sigmoid", "hard_sigmoid"]:
            for bidirectional in [False, True]:
                for sequences in [False, True]:
                    for masked in [False, True]:
                        names = [kind, gate, "bidirectional" * bidirectional, "sequences" * sequences, "mask" * masked]
                        recurrent_case(golden, kind, gates, keras_layer, gate, bidirectional, sequences, masked,
                                       "_".join(filter(None, names)))
    return golden


def recurrent_case(golden, kind, gates, keras_layer, gate, bidirectional, sequences, masked, name):
    tensors = {"input": golden.uniform(BATCH, STEPS, FEATURES, low=-1.5, high=1.5)}
    directions = ["forward_", "backward_"] if bidirectional else [""]
    for prefix in directions:
        tensors |= parameters(golden, gates, prefix)
    mask = MASK if masked else None

    def function(x, *rest):
        weights, step_mask = (rest[:-1], rest[-1]) if masked else (rest, None)
        return reference.recurrent(kind, x, weights, step_mask, sequences, recurrent_activation=gate)

    weights_mask = MASK[:, :, None] if masked and sequences else None
    case = golden.layer(name, function, tensors, mask, weights_mask)

    def build():
        built = keras_layer(UNITS, recurrent_activation=keras_check.activation(gate), return_sequences=sequences,
                            use_cudnn=False)
        return keras.layers.Bidirectional(built) if bidirectional else built

    keras_check.layer(name, build, case, list(tensors)[1:], mask)


def time_mean():
    golden = Golden("mean_over_time", seed=23)
    for name, mask in [("plain", None), ("mask", MASK)]:
        tensors = {"input": golden.uniform(BATCH, STEPS, FEATURES)}
        case = golden.layer(name, reference.mean_over_time, tensors, mask)
        keras_check.layer(name, keras.layers.GlobalAveragePooling1D, case, mask=mask)
    return golden


def batch_normalization():
    golden = Golden("batch_normalization", seed=24)
    shapes = {"training": (6, 19), "training_sequences": (4, 6, 7), "training_mask": (4, 6, 7), "inference": (6, 19)}
    for name, shape in shapes.items():
        channels = shape[-1]
        statistics = [golden.uniform(channels), golden.uniform(channels, low=0.5, high=2)]
        training = name != "inference"
        tensors = {
            # Means far from zero: the variance must not be taken as E[x^2] - E[x]^2.
            "input": golden.uniform(*shape, low=-2, high=2) + golden.uniform(channels, low=-15, high=15),
            "gamma": golden.uniform(channels, low=0.5, high=1.5),
            "beta": golden.uniform(channels),
        }
        mask = MASK if name == "training_mask" else None
        moved = {}

        def function(x, gamma, beta, step_mask=None):
            y, moved["mean"], moved["variance"] = reference.batch_normalization(
                x, gamma, beta, double(statistics[0]), double(statistics[1]), training, step_mask)
            return y

        # What a masked step becomes is of no consequence: whatever follows leaves it out.
        weights_mask = mask[:, :, None] if mask is not None else None
        case = golden.layer(name, function, tensors, mask, weights_mask)
        golden.add(f"{name}/moving_mean", statistics[0])
        golden.add(f"{name}/moving_variance", statistics[1])
        golden.add(f"{name}/new_moving_mean", moved["mean"])
        golden.add(f"{name}/new_moving_variance", moved["variance"])

        case |= {"moving_mean": statistics[0], "moving_variance": statistics[1]}
        # To 1e-6: Keras adds 1e-7 to the number of steps that a mask counts.
        built = keras_check.layer(name, keras.layers.BatchNormalization, case, ["gamma", "beta", "moving_mean", "moving_variance"], mask,
                                  tolerance=1e-6, training=training)
        check(f"{name}/new_moving_mean", built.moving_mean, moved["mean"], 1e-6)
        check(f"{name}/new_moving_variance", built.moving_variance, moved["variance"], 1e-6)
    return golden


def layer_normalization():
    golden = Golden("layer_normalization", seed=26)
    for name, shape in {"vectors": (6, 19), "sequences": (4, 6, 7)}.items():
        tensors = {
            "input": golden.uniform(*shape, low=-2, high=2) + golden.uniform(shape[-1], low=-3, high=3),
            "gamma": golden.uniform(shape[-1], low=0.5, high=1.5),
            "beta": golden.uniform(shape[-1]),
        }
        case = golden.layer(name, reference.layer_normalization, tensors)
        keras_check.layer(name, keras.layers.LayerNormalization, case, ["gamma", "beta"])
    return golden


def conv1d():
    """Both paddings, with an even kernel, dilation, a kernel longer than the clip, masks, activations, without bias."""
    golden = Golden("conv1d", seed=27)
    cases = [("same", 3, "same", 1, "linear", True, None), ("same_even_relu", 4, "same", 1, "relu", True, None),
             ("same_dilated_mask", 2, "same", 3, "tanh", True, MASK), ("same_long_mask", 9, "same", 1, "sigmoid", True, MASK),
             ("causal", 3, "causal", 1, "linear", True, None), ("causal_dilated_mask_softmax", 3, "causal", 2, "softmax", True, MASK),
             ("causal_unbiased_mask", 2, "causal", 1, "tanh", False, MASK), ("point", 1, "same", 1, "hard_sigmoid", True, None)]
    for name, size, padding, dilation, activation, biased, mask in cases:
        tensors = {"input": golden.uniform(BATCH, STEPS, FEATURES), "kernel": golden.uniform(size, FEATURES, UNITS)}
        if biased:
            tensors["bias"] = golden.uniform(UNITS)

        def function(x, kernel, *rest, name="linear"):
            return reference.convolution_over_time(
                x, kernel, rest[0] if biased else None, rest[-1] if mask is not None else None, padding, dilation, name)

        case = golden.layer(name, lambda *values: function(*values, name=activation), tensors, mask)
        masked = [double(values) for values in tensors.values()] + ([] if mask is None else [double(mask)])
        away_from(name, function(*masked), {"relu": [0], "hard_sigmoid": [-2.5, 2.5]}.get(activation, []))
        # Keras's layer knows no mask: it gets zeros where ours has masked steps.
        if mask is not None:
            steps = mask[:, :, None].astype(np.float64)
            case = case | {"input": case["input"] * steps}
            built = keras.layers.Conv1D(UNITS, size, padding=padding, dilation_rate=dilation,
                                        activation=keras_check.activation(activation), use_bias=biased)
            built.build(case["input"].shape)
            built.set_weights([case[key] for key in list(tensors)[1:]])
            check(f"{name}/output", built(case["input"]), case["output"])
        else:
            keras_check.layer(name, lambda: keras.layers.Conv1D(
                UNITS, size, padding=padding, dilation_rate=dilation, activation=keras_check.activation(activation),
                use_bias=biased), case, list(tensors)[1:])
    return golden


class KerasAttention(keras.layers.Layer):
    """y = LayerNormalization(x + MultiHeadAttention(x, x, x))."""

    def __init__(self, heads, key_dim, causal):
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(heads, key_dim)
        self.normalization = keras.layers.LayerNormalization()
        self.causal = causal

    def build(self, shape):
        self.attention.build(shape, shape)
        self.normalization.build(shape)

    def call(self, x, mask=None):
        seen = None if mask is None else mask[:, None, :]
        return self.normalization(x + self.attention(x, x, attention_mask=seen, use_causal_mask=self.causal))


def attention():
    golden = Golden("attention", seed=28)
    cases = [("one_head", 1, FEATURES, False, None), ("heads", 3, 4, False, None), ("heads_mask", 3, 4, False, MASK),
             ("causal", 2, 3, True, None), ("causal_mask", 2, 5, True, MASK)]
    for name, heads, key_dim, causal, mask in cases:
        tensors = {"input": golden.uniform(BATCH, STEPS, FEATURES, low=-1.5, high=1.5)}
        for part in ["query", "key", "value"]:
            tensors |= {f"{part}/kernel": golden.uniform(FEATURES, heads, key_dim), f"{part}/bias": golden.uniform(heads, key_dim)}
        tensors |= {"attention_output/kernel": golden.uniform(heads, key_dim, FEATURES), "attention_output/bias": golden.uniform(FEATURES),
                    "layer_normalization/gamma": golden.uniform(FEATURES, low=0.5, high=1.5),
                    "layer_normalization/beta": golden.uniform(FEATURES)}

        def function(x, *rest):
            parameters, step_mask = (rest, None) if mask is None else (rest[:-1], rest[-1])
            return reference.attention(x, parameters, step_mask, causal)

        weights_mask = None if mask is None else mask[:, :, None]
        case = golden.layer(name, function, tensors, mask, weights_mask)
        # A softmax does not change when all scores of a query do.
        assert np.abs(case.pop("d_key/bias")).max() < 1e-12
        del golden.tensors[f"{name}/d_key/bias"]
        # Keras rounds the scale of the scores to single precision.
        keras_check.layer(name, lambda: KerasAttention(heads, key_dim, causal), case, list(tensors)[1:], mask, tolerance=1e-7)
    return golden


def loss():
    """Softmax cross-entropy: mean loss over the batch, its gradient in the logits, the probabilities."""
    golden = Golden("cross_entropy", seed=25)
    classes = 7
    for name, smoothing, scale in [("plain", 0.0, 3), ("smoothed", 0.1, 3), ("large", 0.0, 200)]:
        logits = golden.uniform(6, classes, low=-scale, high=scale)
        labels = golden.random.integers(0, classes, 6)
        leaf = double(logits).requires_grad_()
        value = reference.cross_entropy(leaf, torch.tensor(labels), smoothing)
        value.backward()
        check(name, value.detach(), torch.nn.functional.cross_entropy(
            leaf, torch.tensor(labels), label_smoothing=smoothing).detach())
        if name != "large":  # Keras clips probabilities at 1e-7 unless it sees logits
            keras_loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
            check(name, keras_loss(np.eye(classes)[labels], logits.astype(np.float64)), value.detach())
        golden.add(f"{name}/logits", logits)
        golden.add(f"{name}/labels", labels)
        golden.add(f"{name}/label_smoothing", [smoothing])
        golden.add(f"{name}/loss", [value.item()])
        golden.add(f"{name}/d_logits", leaf.grad)
        golden.add(f"{name}/probabilities", torch.softmax(leaf, -1))
    return golden
