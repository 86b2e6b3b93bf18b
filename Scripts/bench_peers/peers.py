"""Who is measured beside vidclass, and which packages that takes."""

import platform
from dataclasses import dataclass

# There is no tensorflow-cpu for other processors; their tensorflow is what tensorflow-cpu is here.
TENSORFLOW = "tensorflow-cpu" if platform.machine() == "x86_64" else "tensorflow"


@dataclass(frozen=True)
class Peer:
    title: str
    # The first ones are what the table shows a version of.
    packages: tuple[str, ...]
    shown: int = 1


PEERS = {
    "openvino": Peer("OpenVINO", ("openvino", "onnx", "numpy")),
    "onnxruntime": Peer("ONNX Runtime", ("onnxruntime", "onnx", "numpy")),
    "keras": Peer("Keras/TensorFlow", ("keras", TENSORFLOW, "h5py", "numpy"), 2),
    "torch-channels-last": Peer("PyTorch, channels-last", ("torch", "numpy")),
    "torch": Peer("PyTorch, default", ("torch", "numpy")),
    "torch-compile": Peer("PyTorch, torch.compile", ("torch", "numpy")),
}


def packages(names: list[str]) -> list[str]:
    """All packages that the peers of these names need."""
    return sorted({package for name in names for package in PEERS[name].packages})


def shown_version(name: str, versions: dict[str, str | None]) -> str:
    """What the table says of the version of a peer or of vidclass."""
    names = PEERS[name].packages[:PEERS[name].shown] if name in PEERS else [name]
    return ", ".join(f"{package} {versions.get(package) or 'absent'}" for package in names)
