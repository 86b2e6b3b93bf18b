"""System calls that fail, each in its turn."""

import re
import shutil

from .bench import assert_clean, assert_refused

# The call, and the error that it returns.
FAULTS = [("fsync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("rename", "EROFS"), ("link", "EPERM"), ("mkdir", "EDQUOT")]


def faults(bench):
    """Each call of a training fails in turn, until a training has none left that fails."""
    tried = survived = 0
    for call, error in FAULTS:
        number = 0
        while True:
            number += 1
            what = f"{call} {number} returned {error}"
            folder = bench.folder(f"{call}{number}{error}")
            log = bench.work / "calls"
            status, errors = bench.train(folder, [
                "strace", "-f", "-qq", "-y", "-o", str(log), "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}"])
            failed = [line for line in log.read_text().splitlines() if "(INJECTED)" in line]
            if not failed:
                assert status == 0, f"{what}: {errors}"
                break
            tried += 1
            if status == 0:
                # A training continues without a second name for its last state, and, with a note, without events and report.
                survived += 1
                assert call == "link" or "note: " in errors, f"{what}: there was no note"
            else:
                assert_refused(status, errors, folder, what)
            assert_clean(folder, what)
            if call == "fsync":
                assert_not_tried_again(failed[0], log.read_text(), what)
            bench.finish(folder, what)
            shutil.rmtree(folder)
    return (f"{tried} failing calls ({', '.join(' '.join(fault) for fault in FAULTS)}): exit 74 or, {survived} times, continued without what the "
            "training does not need; no leftovers, resumed to the same bytes")


def assert_not_tried_again(failed, log, what):
    """The file whose sync failed is a temporary one, which is never synced again, or a folder."""
    place = re.search(r"fsync\(\d+<([^>]*)>", failed)[1]
    after = log.split("(INJECTED)", 1)[1]
    assert ".vidclass-" not in place or f"<{place}>" not in after, f"{what}: {place} was synced again"
