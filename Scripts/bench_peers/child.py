"""Running a measured process."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

# Ten epochs of Keras take half an hour on two cores; what takes four times that hangs.
TIMEOUT = 7200
ERROR_LINE = re.compile(r"(error:|[\w.]*(Error|Exception|Interrupt|NotFound)\b)")


class Failed(Exception):
    """The process did not end well; the message is its last error line."""


@dataclass(frozen=True)
class Ended:
    output: str
    seconds: float
    peak_bytes: int


def run(command: list, environment: dict[str, str], folder: pathlib.Path) -> Ended:
    """Runs a command to its end; its wall-clock time and its peak resident memory come from outside, the same for all."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        # A session of its own, because torch.compile has helpers that must end too.
        process = subprocess.Popen(list(map(str, command)), env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=errors, start_new_session=True)
        timer = threading.Timer(TIMEOUT, kill, [process])
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            kill(process)
            process.wait()
            raise
        finally:
            timer.cancel()
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        kill(process)
        if process.returncode != 0:
            late = f"ended after {TIMEOUT} s" if seconds >= TIMEOUT else None
            raise Failed(late or reason(process.returncode, text(errors)))
        # Linux counts in KiB.
        return Ended(text(output), seconds, usage.ru_maxrss * 1024)


def kill(process: subprocess.Popen) -> None:
    """Ends the process and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def text(file) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def reason(code: int, errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    if code < 0:
        hint = ", perhaps for lack of memory" if code == -signal.SIGKILL else ""
        return f"ended by {signal.Signals(-code).name}{hint}"
    # Frameworks write more after the line that says what happened.
    said = [line for line in lines if ERROR_LINE.match(line)] or lines or [f"exit code {code}"]
    return said[-1]
