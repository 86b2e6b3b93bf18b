"""The report: Markdown on standard output, ready for README, and a JSON document."""

import argparse
import dataclasses
import json

from .measurement import Result, shown_version


def machine(facts: argparse.Namespace) -> str:
    versions = ", ".join(f"{name} {version or 'absent'}" for name, version in facts.versions.items())
    return "\n".join([
        f"Measured {facts.date} on {facts.processor}, {facts.cores} cores, {facts.memory_bytes / 2**30:.0f} GiB; "
        f"{facts.system}; {facts.threads} thread{'s' * (facts.threads > 1)}; fp32; load {facts.load:.1f} before the start.",
        f"{facts.blas}, sgemm {facts.sgemm_gflops:.0f} GFLOP/s; vidclass's own loops for {facts.simd}.",
        f"Versions: {versions}."])


def table(result: Result, versions: dict[str, str | None]) -> str:
    """One measurement's table, with a line for each row and a column for each baseline that is not missing."""
    measurement = result.measurement
    baselines = [row for row in measurement.baselines if result.has(row)]
    compared = [f"{row} is faster by" for row in baselines]
    lines = [["", measurement.unit, "min ... max", *compared, "peak memory", "version"]]
    for subject in measurement.subjects:
        version = shown_version(subject.name, versions)
        for row in subject.rows:
            if result.failure(subject):
                reason = result.failure(subject).replace("|", "\\|")
                lines.append([row, "failed", reason[:160], *[""] * len(baselines), "", version])
                continue
            values = [sample.value for sample in result.samples[row]]
            peak = max(sample.peak_bytes for sample in result.samples[row])
            ratios = ["" if row in measurement.baselines else f"{result.ratio(row, baseline):.2f} x" for baseline in baselines]
            lines.append([row, number(result.median(row)), f"{number(min(values))} ... {number(max(values))}", *ratios,
                          f"{peak / 2**30:.2f} GiB", version])
    lines.insert(1, ["---", "---:", "---:", *["---:"] * len(baselines), "---:", "---"])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    note = f"\n\n{measurement.note}" if measurement.note else ""
    return f"**{measurement.title}**\n\n{rows}{note}"


def number(value: float) -> str:
    """Three digits that count, no exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def json_document(facts: argparse.Namespace, options: argparse.Namespace, results: list[Result]) -> str:
    """Every sample of every round."""
    document = {
        "machine": vars(facts),
        "options": vars(options),
        "measurements": [
            {"name": result.measurement.name, "title": result.measurement.title, "unit": result.measurement.unit,
             "note": result.measurement.note,
             "samples": {row: [dataclasses.asdict(sample) for sample in samples] for row, samples in result.samples.items()},
             "failures": result.failures}
            for result in results],
    }
    return json.dumps(document, indent=1, default=str) + "\n"
