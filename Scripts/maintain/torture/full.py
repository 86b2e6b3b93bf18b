"""Disks that fill up and bounds on files."""

import resource
import shutil
import subprocess

from .bench import assert_refused


def disk(bench):
    """A tmpfs too small by a few KiB more each time."""
    tried = full = 0
    for size in range(4, 400, 4):
        place = bench.work / "small"
        place.mkdir(exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", place], stderr=subprocess.PIPE).returncode != 0:
            return "not tried: this user may not mount a tmpfs"
        try:
            try:
                folder = bench.folder("run", parent=place)
            except OSError:
                continue
            tried += 1
            status, errors = bench.train(folder)
            if status == 0:
                break
            full += 1
            assert_refused(status, errors, folder, f"{size} KiB")
            subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
            bench.finish(folder, f"{size} KiB")
        finally:
            subprocess.run(["umount", place], check=True)
    assert full > 3, "no disk was too small"
    return f"{full} disks filled up at different places: exit 74, no leftovers, resumed to the same bytes"


def limit(bench):
    """Files may not grow beyond a bound."""
    full = 0
    for number, size in enumerate([0, 1, 64, 100, 400, 500, 600, 700, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 20000]):
        folder = bench.folder(f"limit{number}")
        status, errors = bench.train(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        if status != 0:
            full += 1
            assert_refused(status, errors, folder, f"{size} bytes")
        bench.finish(folder, f"files of at most {size} bytes")
        shutil.rmtree(folder)
    assert full > 3, "no file was too large"
    return f"{full} bounds on files exceeded: exit 74, no leftovers, resumed to the same bytes"
