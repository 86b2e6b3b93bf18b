"""The ffmpeg program that makes the files, within bounds."""

import resource
import subprocess

# A filter that waits for the end of an endless source would otherwise take all memory.
MEMORY, SECONDS = 2 << 30, 60


class Unavailable(Exception):
    """This ffmpeg cannot make the file."""


def ffmpeg(*words) -> None:
    try:
        done = subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=SECONDS, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
    except subprocess.TimeoutExpired:
        raise Unavailable(f"ffmpeg was ended after {SECONDS} s") from None
    if done.returncode:
        raise Unavailable((done.stderr.decode(errors="replace").strip().splitlines() or [f"ffmpeg ended with {done.returncode}"])[-1])
