"""The report: Markdown on standard output, ready for the documentation, and a JSON document."""

import argparse
import dataclasses
import json
from functools import partial

from .measurement import PEERS, Result, shown_version


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
            ratios = ["" if row in measurement.baselines else f"{result.ratio(row, baseline):.2f} x" for baseline in baselines]
            lines.append([row, number(result.median(row)), f"{number(min(values))} ... {number(max(values))}", *ratios,
                          f"{result.peak(row):.2f} GiB", version])
    lines.insert(1, ["---", "---:", "---:", *["---:"] * len(baselines), "---:", "---"])
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    note = f"\n\n{measurement.note}" if measurement.note else ""
    return f"**{measurement.title}**\n\n{rows}{note}"


def summary(results: list[Result]) -> str:
    """All medians in one table: lines for each row of vidclass's, a column for each program, with how many times as fast vidclass is. The
    fastest and the smallest are bold."""
    titles, lines = [peer.title for peer in PEERS.values()], []
    for result in results:
        measurement = result.measurement
        own = [row for subject in measurement.subjects if subject.name == "vidclass" for row in subject.rows]
        for row in filter(result.has, own):
            rows = {"vidclass": row} | {title: title for title in titles if result.has(title)}
            ratio = partial(result.ratio, baseline=row)
            what = f"{measurement.title}, {measurement.unit}" + f", {row}" * (row != "vidclass")
            times = {key: number(result.median(other)) + f" ({number(ratio(other))})" * (other != row) for key, other in rows.items()}
            peaks = {key: f"{result.peak(other):.2f}" for key, other in rows.items()}
            for label, cells, key in [(what, times, ratio), ("... its peak memory, GiB", peaks, result.peak)]:
                best = min(rows, key=lambda title: key(rows[title]))
                lines.append([label, cells | {best: f"**{cells[best]}**"}])
    columns = ["vidclass", *(title for title in titles if any(title in cells for _, cells in lines))]
    table = [["", *columns], ["---", *["---:" for _ in columns]]]
    table += [[label, *(cells.get(title, "") for title in columns)] for label, cells in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in table)


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
