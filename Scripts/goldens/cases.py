"""Collecting cases into golden files.

A case is computed in double precision from single-precision inputs and stored in single precision: a golden is exact to
the last bit or so of a float, and what a test measures is vidclass's own error.
"""

import json
import pathlib

import numpy as np
import safetensors.numpy
import torch

from . import environment

FOLDER = environment.REPOSITORY / "Tests" / "VidModelTests" / "Goldens"


class Golden:
    """One file of cases: tensors named `case/tensor`."""

    def __init__(self, name, seed):
        self.name = name
        self.seed = seed
        self.random = np.random.default_rng(seed)
        self.tensors = {}
        self.notes = {}

    def uniform(self, *shape, low=-1.0, high=1.0):
        return self.random.uniform(low, high, shape).astype(np.float32)

    def add(self, name, values):
        values = values.detach().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
        assert np.isfinite(values).all(), name
        assert name not in self.tensors, name
        self.tensors[name] = np.ascontiguousarray(values, dtype=np.float32)

    def layer(self, case, function, tensors, mask=None, weights_mask=None):
        """Adds a case: inputs and parameters `tensors`, `output`, random `d_output`, and every gradient as `d_...` of
        sum(output * d_output). `weights_mask` zeroes weights where outputs are of no consequence. Returns all of it in
        double precision, for a cross-check."""
        leaves = {name: double(values).requires_grad_() for name, values in tensors.items()}
        output = function(*leaves.values()) if mask is None else function(*leaves.values(), double(mask))
        d_output = self.uniform(*output.shape)
        if weights_mask is not None:
            d_output = d_output * weights_mask
        (output * double(d_output)).sum().backward()
        result = {name: values.astype(np.float64) for name, values in tensors.items()}
        result |= {"output": output.detach().numpy(), "d_output": d_output.astype(np.float64)}
        result |= {f"d_{name}": leaf.grad.numpy() for name, leaf in leaves.items()}
        if mask is not None:
            result["mask"] = mask
        for name, values in result.items():
            self.add(f"{case}/{name}", values)
        return result

    def save(self, folder):
        """Writes the file; one metadata entry, so that the same goldens are the same bytes."""
        header = {"seed": self.seed, "versions": environment.installed(), **self.notes}
        path = pathlib.Path(folder) / f"{self.name}.safetensors"
        safetensors.numpy.save_file(self.tensors, path, metadata={"golden": json.dumps(header, sort_keys=True)})
        path.chmod(0o644)
        size = path.stat().st_size
        assert size < 300_000, f"{path} has {size} bytes"
        print(f"{path.name}: {len(self.tensors)} tensors, {size} bytes")
        return size


def double(values):
    return torch.tensor(np.asarray(values), dtype=torch.float64)


def check(what, found, expected, tolerance=1e-9):
    """Asserts that two implementations agree to `tolerance` of the largest value."""
    found, expected = np.asarray(found, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    assert found.shape == expected.shape, f"{what}: {found.shape} against {expected.shape}"
    error = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30)
    assert error <= tolerance, f"{what}: relative error {error:.3g}, allowed {tolerance:.3g}"


def away_from(what, values, kinks, distance=1e-4):
    """Asserts that no value is so near a kink of its function that rounding could change the gradient."""
    values = np.asarray(values)
    for kink in kinks:
        nearest = np.abs(values - kink).min()
        assert nearest > distance, f"{what}: {nearest:.3g} from the kink at {kink}; take another seed"
