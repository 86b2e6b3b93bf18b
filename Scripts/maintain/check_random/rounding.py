"""Single precision's rounding, imitated in double precision.

How far may a right program in single precision be from the exact result? `Rounding` answers by experiment (Parker 1997, "Monte
Carlo arithmetic"): under it, PyTorch adds to the result of every operation, forward, backward and in the optimizer, a random
error as large as single precision's. The spread of a few such repetitions around the exact result is the distance that rounding
alone explains, for each element by itself: it is wide where an activation is so near a ReLU's kink, or a gradient so near zero
under Adam, that rounding decides, and it is zero where arithmetic is exact.

The error of an operation is uniform within FACTOR x 2^-24 x a bound of its terms:

- of a product of matrices, a convolution or a sum: the same of absolute values, sum |a||b| (Higham 2002, section 3.1);
- of a sum or a difference of two: |a| + |b|; of other elementwise operations: the result.

Winograd's F(4x4, 3x3) mixes the positions of a tile: there the bound is the largest within a tile, times WINOGRAD. An output
whose whole patch is zero is the bias, exactly. A gradient may be rounding alone where the exact one is zero.
"""

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

FACTOR = 4
WINOGRAD = 4
UNIT = 2.0**-24

CONTRACTIONS = {"mm", "addmm", "bmm", "baddbmm", "mv", "dot", "convolution", "convolution_backward", "sum", "mean"}
SUMS = {"add", "sub", "rsub", "add_", "sub_"}
RELATIVE = {"mul", "mul_", "div", "div_", "square", "pow", "reciprocal", "sqrt", "rsqrt", "exp", "log", "tanh", "tanh_backward", "sigmoid",
            "sigmoid_backward", "_softmax"}


class Rounding(TorchDispatchMode):
    """Adds errors to the results of all operations on tensors in double precision within its context."""

    def __init__(self, seed: int, winograd: bool):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)
        self.winograd = winograd

    def perturb(self, values, bound):
        """Adds an error within FACTOR x UNIT x bound, in place."""
        noise = torch.empty_like(values).uniform_(-FACTOR * UNIT, FACTOR * UNIT, generator=self.generator)
        values.add_(noise.mul_(bound))

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        options = options or {}
        name = function.overloadpacket.__name__
        bounds = self.bounds(name, function, arguments, options)
        results = function(*arguments, **options)
        for result, bound in zip(results if isinstance(results, tuple) else [results], bounds):
            if result is not None and result.dtype == torch.float64:
                self.perturb(result, result.abs() if bound is None else bound)
        return results

    def bounds(self, name, function, arguments, options):
        """One for each result, None for the result itself; none at all for operations that are exact."""
        if name in RELATIVE:
            return [None]
        if name in CONTRACTIONS:
            values = [magnitude(value) for value in arguments]
            absolute = function(*values, **options)
            winograd = self.winograd and arguments[0].dim() == 4  # not a convolution over time
            if winograd and name == "convolution":
                return [torch.where(function(*values[:2], None, *values[3:], **options) > 0, tiled(absolute), absolute)]
            if winograd and name == "convolution_backward":
                d_input, _, d_bias = absolute
                values[1] = tiled(tiled(values[1]))
                return [None if d_input is None else tiled(d_input), function(*values, **options)[1], d_bias]
            return absolute if isinstance(absolute, tuple) else [absolute]
        if name in SUMS:
            return [magnitude(arguments[0]) + magnitude(arguments[1])]
        if name == "var":
            # Of deviations from a mean that is itself rounded.
            x, *rest = arguments
            return [function(x, *rest, **options) + x.abs().mean(rest[0]) * x.std(rest[0], unbiased=False)]
        if name in ("_log_softmax", "_log_softmax_backward_data"):
            return [arguments[0].abs().amax(-1, keepdim=True) + 1]
        if name == "_softmax_backward_data":
            return [arguments[0].abs().amax(-1, keepdim=True) * arguments[1]]
        return []


def magnitude(value):
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.abs().contiguous()
    return abs(value) if isinstance(value, float) else value


def tiled(bound):
    """WINOGRAD times the largest bound of all outputs that may be in one tile with each."""
    return WINOGRAD * F.max_pool2d(bound, 7, 1, 3)
