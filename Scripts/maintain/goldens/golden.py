"""Writing golden files and comparing them.

A case is computed in double precision from single-precision inputs and stored in single precision: a golden is exact to
the last bit or so of a float, and what a test measures is vidclass's own error.
"""

import csv
import json
import pathlib

import numpy as np


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
        assert name not in self.tensors, name
        values = np.ascontiguousarray(values.detach().numpy() if hasattr(values, "detach") else values, dtype=np.float32)
        assert np.isfinite(values).all(), name
        self.tensors[name] = values

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

    def save(self, folder, versions):
        save(folder, self.name, self.tensors, {"seed": self.seed, "versions": versions, **self.notes})


def save(folder, name, tensors, note, limit=400_000):
    """Writes a file of tensors; one metadata entry, so that the same goldens are the same bytes."""
    import safetensors.numpy

    path = pathlib.Path(folder) / f"{name}.safetensors"
    safetensors.numpy.save_file(tensors, path, metadata={"golden": json.dumps(note, sort_keys=True)})
    path.chmod(0o644)
    size = path.stat().st_size
    assert size < limit, f"{path} has {size} bytes"
    print(f"{path.name}: {len(tensors)} tensors, {size} bytes")


def double(values):
    import torch

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


def compare(made: pathlib.Path, committed: pathlib.Path) -> bool:
    """Whether the committed files hold what was made: the same bytes, or numbers within 1e-6 (tensors) or 1e-9 (text)."""
    is_same = True
    for path in sorted(made.iterdir()):
        try:
            if path.read_bytes() == (committed / path.name).read_bytes():
                print(f"{path.name}: the committed bytes")
                continue
            new, old = contents(path), contents(committed / path.name)
            assert new.keys() == old.keys(), "other entries than in the committed file"
            for name, value in new.items():
                if isinstance(value, (float, np.ndarray)):
                    # PyTorch's single precision differs from processor to processor.
                    check(name, value, old[name], 1e-5 if "float32" in name else 1e-6 if path.suffix == ".safetensors" else 1e-9)
                else:
                    assert value == old[name], f"{name}: {value!r}, committed {old[name]!r}"
            print(f"{path.name}: other bytes, but as committed")
        except (AssertionError, OSError) as error:
            print(f"{path.name}: {error}")
            is_same = False
    return is_same


def contents(path: pathlib.Path) -> dict:
    """Every value of a file by its place in it."""
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return load_file(path)
    if path.suffix == ".csv":
        with open(path, newline="") as file:
            return {f"{row}.{column}": number(text) for row, line in enumerate(csv.reader(file)) for column, text in enumerate(line)}
    if path.suffix == ".json":
        return flat("", json.loads(path.read_text()))
    import h5py

    found = {}
    with h5py.File(path) as file:
        # Shapes alone: Keras's own layers have random values, and some malformed files claim terabytes.
        file.visititems(lambda name, item: found.update({name: f"{getattr(item, 'shape', '')} {getattr(item, 'dtype', '')}"}))
    return found


def number(text):
    try:
        return float(text)
    except ValueError:
        return text


def flat(place, value) -> dict:
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {key: one for name, entry in items for key, one in flat(f"{place}.{name}", entry).items()}
    return {place: value if isinstance(value, (bool, str, type(None))) else float(value)}
