"""SIGKILL at every system call, and at random moments."""

import shutil
import signal

from maintain import resume as random_moments

from .bench import TOUCHING


def kill(bench):
    """SIGKILL at the n-th call, for n = 1, 2, ... until a training survives; every thread has its own count."""
    kills = number = 0
    while True:
        number += 1
        folder = bench.folder(f"kill{number}")
        inject = f"inject={TOUCHING}:signal=KILL:when={number}"
        status, errors = bench.train(folder, ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={TOUCHING}", "-e", inject])
        if status == 0:
            shutil.rmtree(folder)
            break
        assert status in (-signal.SIGKILL, 128 + signal.SIGKILL), f"call {number}: ended with {status}: {errors}"
        kills += 1
        bench.finish(folder, f"killed at call {number}")
        shutil.rmtree(folder)
    return f"killed at each of {kills} system calls, all resumed to the same bytes"


def resume(bench):
    """SIGKILL, SIGTERM and SIGINT at random moments of four larger trainings (maintain.resume)."""
    lines, failures = random_moments.check(bench.vidclass, kills=50)
    assert failures == 0, "\n".join(lines)
    return "; ".join(lines)
