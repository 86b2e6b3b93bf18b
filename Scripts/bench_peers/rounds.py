"""Turns: in each round every subject runs once."""

import sys

from . import child
from .measurement import Measurement, Result


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
            except (child.Failed, ValueError, KeyError, IndexError) as error:
                # The latter are a program's output that is not as expected.
                reason = str(error) if isinstance(error, child.Failed) else f"unexpected output: {error!r}"
                result.failures[subject.rows[0]] = reason
                print(f"{turn}  {subject.rows[0]}: failed: {reason}", file=sys.stderr, flush=True)
                continue
            for row, sample in zip(subject.rows, samples, strict=True):
                print(f"{turn}  {row}: {sample.value:.4g} {measurement.unit}", file=sys.stderr, flush=True)
                if index >= 0:
                    result.samples.setdefault(row, []).append(sample)
    return result
