"""Running other programs: the measured and the tortured, and `swift`."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

from . import environment

# Ten epochs of Keras take half an hour on two cores; a process that takes four times that hangs.
TIMEOUT = 7200
ERROR_LINE = re.compile(r"(error:|[\w.]*(Error|Exception|Interrupt|NotFound)\b)")


class Failed(Exception):
    """The process did not end well; the message is its last error line."""


@dataclass(frozen=True)
class Ended:
    """How a process ended. `status` is negative after a signal; `hung` tells that its time was over."""

    status: int
    output: bytes
    errors: bytes
    seconds: float
    processor_seconds: float
    peak_bytes: int
    hung: bool

    @property
    def text(self) -> str:
        return self.output.decode(errors="replace")


def watch(command: list, variables: dict[str, str], folder: pathlib.Path, stdin: pathlib.Path | None = None, seconds: float = TIMEOUT,
          reap: bool = True) -> Ended:
    """Runs a command to its end or for `seconds`. With `reap`, what it leaves behind is killed."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors, open(stdin or os.devnull, "rb") as source:
        start = time.perf_counter()
        # A session of its own, so that its children can be ended too.
        process = subprocess.Popen([word if isinstance(word, bytes) else str(word) for word in command], env=variables, cwd=folder,
                                   stdin=source, stdout=output, stderr=errors, start_new_session=True)
        hung = threading.Event()

        def stop():
            hung.set()
            kill(process)

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            kill(process)
            process.wait()
            raise
        finally:
            timer.cancel()
        elapsed = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if reap:
            kill(process)
        # Linux counts in KiB.
        return Ended(process.returncode, content(output), content(errors), elapsed, usage.ru_utime + usage.ru_stime,
                     usage.ru_maxrss * 1024, hung.is_set())


def run(command: list, variables: dict[str, str], folder: pathlib.Path) -> Ended:
    """Runs a command to its end; its wall-clock time and its peak resident memory are measured from outside, the same for all."""
    ended = watch(command, variables, folder)
    if ended.status != 0:
        raise Failed(f"ended after {TIMEOUT} s" if ended.hung else reason(ended))
    return ended


def kill(process: subprocess.Popen) -> None:
    """Ends the process and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def content(file) -> bytes:
    file.seek(0)
    return file.read()


def reason(ended: Ended) -> str:
    lines = [line.strip() for line in ended.errors.decode(errors="replace").splitlines() if line.strip()]
    if ended.status < 0:
        hint = ", perhaps for lack of memory" if ended.status == -signal.SIGKILL else ""
        return f"ended by {signal.Signals(-ended.status).name}{hint}"
    # Frameworks write more after the line that says what happened.
    told = [line for line in lines if ERROR_LINE.match(line)] or lines or [f"exit code {ended.status}"]
    return told[-1]


def quiet(*command, folder: pathlib.Path | None = None) -> None:
    """Runs a command that prepares something; its output counts only where it fails."""
    done = subprocess.run(list(map(str, command)), cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stderr[-2000:]}")


def set_up() -> None:
    """Installs what vidclass is built with."""
    if subprocess.run([environment.SCRIPTS / "setup.sh"]).returncode != 0:
        sys.exit(1)


def build(product: str, *options: str, folder: pathlib.Path = environment.REPOSITORY, **variables: str) -> pathlib.Path:
    """Builds a product in release mode; returns the folder of the binaries. Ends this program with the errors if it does not build."""
    command = ["swift", "build", "-c", "release", "-j", "2", *options]
    done = subprocess.run([*command, "--product", product], cwd=folder, env=os.environ | variables, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"{product} does not build:\n" + ("\n".join(line for line in done.stdout.splitlines() if "error:" in line) or done.stdout[-2000:]))
    shown = subprocess.run([*command, "--show-bin-path"], cwd=folder, env=os.environ | variables, check=True, stdout=subprocess.PIPE, text=True)
    return pathlib.Path(shown.stdout.strip())
