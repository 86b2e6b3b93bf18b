"""What is measured: peers, subjects that take turns, and rows that their samples go to."""

import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from maintain import process

# There is no tensorflow-cpu for other processors; their tensorflow is what tensorflow-cpu is here.
TENSORFLOW = "tensorflow-cpu" if platform.machine() == "x86_64" else "tensorflow"


@dataclass(frozen=True)
class Peer:
    title: str
    # The table shows the versions of the first `shown` ones.
    packages: tuple[str, ...]
    shown: int = 1


PEERS = {
    "openvino": Peer("OpenVINO", ("openvino", "numpy")),
    "onnxruntime": Peer("ONNX Runtime", ("onnxruntime", "numpy")),
    "keras": Peer("Keras/TensorFlow", ("keras", TENSORFLOW, "h5py", "numpy"), 2),
    "torch-channels-last": Peer("PyTorch, channels-last", ("torch", "safetensors", "numpy")),
    "torch": Peer("PyTorch, default", ("torch", "safetensors", "numpy")),
    "torch-compile": Peer("PyTorch, torch.compile", ("torch", "safetensors", "numpy")),
}


def packages(names: list[str]) -> list[str]:
    """All packages that the peers of these names need."""
    return sorted({package for name in names for package in PEERS[name].packages})


def shown_version(name: str, versions: dict[str, str | None]) -> str:
    """What the table says of the version of a peer or of vidclass."""
    names = PEERS[name].packages[:PEERS[name].shown] if name in PEERS else [name]
    return ", ".join(f"{package} {versions.get(package) or 'absent'}" for package in names)


@dataclass(frozen=True)
class Sample:
    """One turn's number and the process's peak resident memory."""

    value: float
    peak_bytes: int


@dataclass(frozen=True)
class Subject:
    """`name` is `vidclass` or a key of PEERS. `run` returns one sample for each of `rows`."""

    name: str
    rows: list[str]
    run: Callable[[], list[Sample]]


@dataclass(frozen=True)
class Measurement:
    """`baselines` are rows of vidclass's that the table compares the others with."""

    name: str
    title: str
    unit: str
    subjects: list[Subject]
    baselines: list[str]
    is_rate: bool = False
    warmups: int = 0
    note: str = ""


@dataclass
class Result:
    """Samples by row, and by a subject's first row why it failed."""

    measurement: Measurement
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def median(self, row: str) -> float:
        return statistics.median(sample.value for sample in self.samples[row])

    def peak(self, row: str) -> float:
        """The median of the peaks in GiB: torch.compile has the memory of its compilation in the first round alone."""
        return statistics.median(sample.peak_bytes for sample in self.samples[row]) / 2**30

    def has(self, row: str) -> bool:
        """Whether the row's subject went through all its turns."""
        return any(row in subject.rows and not self.failure(subject) for subject in self.measurement.subjects)

    def failure(self, subject: Subject) -> str | None:
        return self.failures.get(subject.rows[0])

    @property
    def is_valid(self) -> bool:
        """Whether vidclass itself did not fail."""
        return not any(subject.name == "vidclass" and self.failure(subject) for subject in self.measurement.subjects)

    def ratio(self, row: str, baseline: str) -> float:
        """How many times as fast as `row` the baseline is."""
        quotient = self.median(row) / self.median(baseline)
        return 1 / quotient if self.measurement.is_rate else quotient


def measure(measurement: Measurement, rounds: int) -> Result:
    """Runs the rounds. A subject that fails is left out from then on."""
    result = Result(measurement)
    for index in range(-measurement.warmups, rounds):
        subjects = measurement.subjects
        # Nobody is always first after the others' heat, or always after the same one.
        first = index % len(subjects)
        for subject in subjects[first:] + subjects[:first]:
            if result.failure(subject):
                continue
            turn = f"{measurement.name} {index + 1}/{rounds}" if index >= 0 else f"{measurement.name} warm-up"
            try:
                samples = subject.run()
            except (process.Failed, ValueError, KeyError, IndexError) as error:
                # The latter are a program's output that is not as expected.
                reason = str(error) if isinstance(error, process.Failed) else f"unexpected output: {error!r}"
                result.failures[subject.rows[0]] = reason
                print(f"{turn}  {subject.rows[0]}: failed: {reason}", file=sys.stderr, flush=True)
                continue
            for row, sample in zip(subject.rows, samples, strict=True):
                print(f"{turn}  {row}: {sample.value:.4g} {measurement.unit}", file=sys.stderr, flush=True)
                if index >= 0:
                    result.samples.setdefault(row, []).append(sample)
    return result
