"""Trains random configurations with vidclass and with PyTorch in double precision, and compares every number.

    PYTHONPATH=Scripts python3 -m maintain.check_random [--minutes M | --count N] [--seed S]

Each case is a configuration and its clips, drawn from a seed. vidclass draws the initial weights and stops before the first
step; most of its weights are then replaced, so that biases are not zero. It trains one or two epochs. Compared are every tensor
of last.safetensors, the optimizer's moments included, the columns of results.csv, and the scores that predict gives each clip.

An element may be as far from double precision as a few times the spread that rounding explains (see rounding.py and
comparison.py), and not at all where arithmetic is exact.

With --keras, Scripts/keras_from_checkpoint.py saves each model too, and a process that has Keras alone loads it and scores the
clips.
"""

import json
import statistics
import sys
import time

from maintain import environment


def main() -> None:
    parser = environment.parser(__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="go on for this long")
    length.add_argument("--count", type=int, default=20, help="the number of cases (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first case; the next ones count up (default: 1)")
    parser.add_argument("--keras", action="store_true", help="save, load and compare the models in Keras, too")
    parser.add_argument("--verbose", action="store_true", help="print every case's largest difference")
    environment.add_program(parser)
    arguments = parser.parse_args()
    environment.enter(*(environment.NETWORKS if arguments.keras else ("torch", "safetensors", "numpy")))

    import torch

    from .comparison import Outcome, check

    torch.set_num_threads(1)
    # A network that saturates has numbers so small that they cost only time.
    torch.set_flush_denormal(True)
    start, seed, failures, worst, allowed = time.monotonic(), arguments.seed, [], 0.0, []
    while time.monotonic() - start < arguments.minutes * 60 if arguments.minutes else seed < arguments.seed + arguments.count:
        outcome = Outcome()
        try:
            check(seed, arguments.vidclass, arguments.keras, outcome)
        except Exception as error:
            outcome.complaints.append(f"{type(error).__name__}: {error}")
        worst, allowed = max(worst, outcome.worst), allowed + outcome.allowed
        if arguments.verbose:
            print(f"seed {seed}: {len(outcome.allowed)} tensors, largest difference {outcome.worst:.2f} of the allowed ({outcome.where}), "
                  f"{outcome.repetitions} repetitions", flush=True)
        if outcome.complaints:
            failures.append(seed)
            print(f"FAILED  python3 -m maintain.check_random --seed {seed} --count 1{' --keras' * arguments.keras}\n  {json.dumps(outcome.config)}")
            print("".join(f"  {line}\n" for line in outcome.complaints[:20]), end="", flush=True)
        seed += 1
    cases = seed - arguments.seed
    print(f"{cases} cases from seed {arguments.seed} in {time.monotonic() - start:.0f} s: {len(allowed)} tensors, "
          f"{cases - len(failures)} cases agree, {len(failures)} do not{f' (seeds {failures})' if failures else ''}; "
          f"largest difference {worst:.2f} of the allowed, which is {statistics.median(allowed or [0]):.1g} of the largest element (median)")
    sys.exit(1 if failures or not cases else 0)


if __name__ == "__main__":
    main()
