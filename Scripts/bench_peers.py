#!/usr/bin/env python3
"""Measures vidclass against OpenVINO, ONNX Runtime, Keras on TensorFlow and PyTorch on this machine.

    python3 Scripts/bench_peers.py                            everything: two hours on two cores
    python3 Scripts/bench_peers.py --only encode head         some of it
    python3 Scripts/bench_peers.py --quick                    does it all run? Small frames; the figures mean nothing

All take turns in one session, each in a process of its own with the same number of threads and inputs of the same
shape, in fp32; the table has the median over the rounds. The peers live in a virtual environment that this script makes
(--venv). `--help` lists the measurements and options.

Exit code 1 when vidclass itself fails somewhere; a peer that fails is a line of the table.
"""

import pathlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable

from bench_peers import child, encode, environment, frozen, head, machine, options, peers, predict, report, rounds, step
from bench_peers.measurement import Measurement
from bench_peers.session import Session

MEASUREMENTS: dict[str, Callable[[Session], Measurement]] = {
    "encode": encode.measurement,
    "step-1": lambda session: step.measurement(session, 1),
    "step-4": lambda session: step.measurement(session, 4),
    "step-16": lambda session: step.measurement(session, 16),
    "head": head.measurement,
    "frozen": frozen.measurement,
    "predict": predict.measurement,
}


def main() -> int:
    arguments = options.parse(list(MEASUREMENTS))
    # A terminated session must end its children like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vidclass-bench-"))
    try:
        return run(arguments, folder)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(arguments: options.Options, folder: pathlib.Path) -> int:
    packages = peers.packages(arguments.peers)
    python = environment.prepare(arguments.venv, packages) if packages else pathlib.Path(sys.executable)
    session = Session(arguments, folder, python)
    try:
        facts = machine.describe(session, environment.versions(python, packages))
    except child.Failed as error:
        print(f"error: {arguments.vidclass} doctor: {error}", file=sys.stderr)
        return 1
    if facts.load > 0.5:
        # Peers whose threads spin at barriers lose most: PyTorch was 20 times as slow beside another program.
        print(f"warning: something else was running (load {facts.load:.1f}); it costs the peers more than vidclass", file=sys.stderr)
    print(report.machine(facts), flush=True)

    results, is_sound = [], True
    for name in arguments.only:
        try:
            result = rounds.measure(MEASUREMENTS[name](session), arguments.rounds)
        except child.Failed as error:
            print(f"error: {name}: vidclass: {error}", file=sys.stderr)
            is_sound = False
            continue
        is_sound = is_sound and result.is_sound
        results.append(result)
        print("\n" + report.table(result, facts.versions), flush=True)
        if arguments.json:
            arguments.json.write_text(report.json_document(facts, arguments, results))
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
