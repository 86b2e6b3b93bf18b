"""What a measurement is: subjects that take turns, and rows that their samples go to."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    """One turn's figure and the process's peak resident memory."""

    value: float
    peak_bytes: int


@dataclass(frozen=True)
class Subject:
    """`name` is `vidclass` or a key of `peers.PEERS`. `run` returns one sample for each of `rows`."""

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

    def has(self, row: str) -> bool:
        """Whether the row's subject went through all its turns."""
        return any(row in subject.rows and not self.failure(subject) for subject in self.measurement.subjects)

    def failure(self, subject: Subject) -> str | None:
        return self.failures.get(subject.rows[0])

    @property
    def is_sound(self) -> bool:
        """Whether vidclass itself did not fail."""
        return not any(subject.name == "vidclass" and self.failure(subject) for subject in self.measurement.subjects)

    def ratio(self, row: str, baseline: str) -> float:
        """How many times as fast as `row` the baseline is."""
        quotient = self.median(row) / self.median(baseline)
        return 1 / quotient if self.measurement.is_rate else quotient
