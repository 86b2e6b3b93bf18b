#!/usr/bin/env python3
"""Breaks trainings in every way a machine can, and looks at what is left.

  kill    SIGKILL at every system call that touches files, and at 200 random moments of other trainings (Scripts/check_resume.py)
  power   the writes of a training are recorded; power is lost after each of them, with what was not synced dropped, kept or garbled
  disk    trainings on tmpfs of growing sizes, each filling up somewhere else
  limit   the same by a limit on the size of files (EFBIG)
  sync    each fsync fails in turn (EIO)
  soak    2,000 epochs in one process, 20,000 predictions in another: memory, descriptors and threads

After each blow the run's checkpoints must load, old or new; an error must be one line with exit code 74; no temporary file may be left
behind by an error; and the resumed training must end in the same bytes as one that nothing happened to.
"""
import argparse
import csv
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOUCHING = "openat,pwrite64,write,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate,mkdir,mkdirat,close"
CONFIG = {
    "seed": 3,
    "model": {
        "input": {"frames": 2, "rows": 8, "columns": 8}, "cnn": {"architecture": {"blocks": [[2]]}, "weights": None, "trainable": True},
        "recurrent": [{"type": "lstm", "units": 2}], "hidden": [],
    },
    "data": {"path": "data", "validation_split": 0.25, "preprocessing": "unit"},
    "training": {"epochs": 3, "batch_size": 4, "save_every_minutes": 0, "save_every_epochs": 2},
}


class Bench:
    """A tiny training and what it ends in."""

    def __init__(self, vidclass, work):
        self.vidclass, self.work = vidclass, work
        subprocess.run([vidclass, "synth", work / "data", "--classes", "2", "--clips-per-class", "4", "--frames", "2", "--rows", "8",
                        "--columns", "8"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        whole = self.folder("whole")
        status, errors = self.train(whole)
        assert status == 0, errors
        self.expected = files(whole)

    def folder(self, name, parent=None):
        folder = (parent or self.work) / name
        folder.mkdir()
        config = json.loads(json.dumps(CONFIG))
        config["data"]["path"] = str(self.work / "data")
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    def words(self, folder):
        resume = (folder / "runs/train/config.json").exists()
        if not resume:
            shutil.rmtree(folder / "runs", ignore_errors=True)
        return [self.vidclass, "train", *(["--resume", "runs/train"] if resume else ["--config", "config.json"]), "--quiet", "--no-cache",
                "--threads", "1"]

    def train(self, folder, before=(), **options):
        done = subprocess.run([*before, *self.words(folder)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=300, **options)
        return done.returncode, done.stderr

    def finish(self, folder, what):
        """Resumes and holds the end against that of the whole training."""
        status, errors = self.train(folder)
        assert status == 0, f"{what}: resumed, it ended with {status}: {errors}"
        found = files(folder)
        wrong = sorted(key for key in self.expected.keys() | found.keys() if self.expected.get(key) != found.get(key))
        assert not wrong, f"{what}: other bytes in {wrong}"


def files(folder):
    run = folder / "runs/train"
    found = {path.name: path.read_bytes() for path in (run / "weights").iterdir()
             if path.name != "previous.safetensors" and not path.name.endswith(".damaged")}
    with open(run / "results.csv", newline="") as file:
        found["results.csv"] = repr([row[:1] + row[2:] for row in csv.reader(file)]).encode()
    found["splits.csv"] = (run / "splits.csv").read_bytes()
    return found


def leftovers(folder):
    return sorted(str(path) for path in folder.rglob(".vidclass-*"))


def is_one_line(errors):
    return len([line for line in errors.splitlines() if line.startswith("vidclass: error: ")]) == 1 and "Fatal" not in errors


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


def recorded(bench):
    """The calls of a training that change files below its folder, in order."""
    folder = bench.folder("recorded")
    log = bench.work / "calls"
    status, errors = bench.train(
        folder, ["strace", "-f", "-qq", "-y", "-xx", "-s", str(1 << 24), "-o", str(log), "-e", f"trace={TOUCHING}", "-e", "signal=none"])
    assert status == 0, errors
    text = lambda hexadecimal: bytes(int(pair, 16) for pair in re.findall(r"\\x([0-9a-f]{2})", hexadecimal))
    name = lambda hexadecimal: os.path.normpath(os.path.join(folder, text(hexadecimal).decode()))
    pending, calls = {}, []
    for line in open(log):
        thread, rest = line.rstrip("\n").split(None, 1)
        if rest.endswith("<unfinished ...>"):
            pending[thread] = rest.removesuffix("<unfinished ...>")
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
        if resumed:
            rest = pending.pop(thread, "") + resumed[1]
        call = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", rest)
        if not call or call[3].startswith("-"):
            continue
        verb, words, strings = call[1], call[2], re.findall(r'"((?:\\x[0-9a-f]{2})*)"', call[2])
        file = re.match(r"\d+<((?:\\x[0-9a-f]{2})+)>", words)
        path = text(file[1]).decode() if file else ""
        inside = lambda place: place.startswith(f"{folder}/runs") or place == str(folder)
        if verb == "openat" and "O_CREAT" in words and inside(name(strings[0])):
            calls.append(("create", name(strings[0]), "O_EXCL" in words))
        elif verb == "pwrite64" and inside(path):
            calls.append(("write", path, text(strings[0]), int(re.findall(r", (\d+)$", words)[0])))
        elif verb == "write" and inside(path):
            calls.append(("append", path, text(strings[0])))
        elif verb == "ftruncate" and inside(path):
            calls.append(("truncate", path, int(words.rsplit(",", 1)[1])))
        elif verb == "fsync" and inside(path):
            calls.append(("sync", path))
        elif verb in ("rename", "renameat", "renameat2") and inside(name(strings[-1])):
            calls.append(("rename", name(strings[0]), name(strings[-1])))
        elif verb in ("link", "linkat") and inside(name(strings[-1])):
            calls.append(("link", name(strings[0]), name(strings[-1])))
        elif verb in ("unlink", "unlinkat") and inside(name(strings[0])):
            calls.append(("unlink", name(strings[0])))
        elif verb in ("mkdir", "mkdirat") and inside(name(strings[0])):
            calls.append(("mkdir", name(strings[0])))
    return folder, calls


class Disk:
    """What a file system holds: contents by inode, names, and what of both is sure to be there after power was lost."""

    def __init__(self):
        self.contents, self.synced, self.names, self.sure, self.waiting, self.folders = [], [], {}, {}, [], set()

    def do(self, call):
        verb, path = call[0], call[1]
        if verb == "mkdir":
            self.folders.add(path)
        elif verb == "create":
            if path not in self.names:
                self.contents.append(bytearray())
                self.synced.append(None)
                self.change(path, len(self.contents) - 1)
        elif verb in ("write", "append"):
            content = self.contents[self.names[path]]
            at = call[3] if verb == "write" else len(content)
            content.extend(bytes(max(0, at + len(call[2]) - len(content))))
            content[at:at + len(call[2])] = call[2]
        elif verb == "truncate":
            content = self.contents[self.names[path]]
            del content[call[2]:]
        elif verb == "sync":
            if path in self.names:
                self.synced[self.names[path]] = bytes(self.contents[self.names[path]])
            else:
                mine = [change for change in self.waiting if os.path.dirname(change[0]) == path]
                self.waiting = [change for change in self.waiting if change not in mine]
                self.settle(self.sure, mine)
        elif verb == "rename":
            inode = self.names[path]
            self.change(call[2], inode, also=(path, None))
        elif verb == "link":
            self.change(call[2], self.names[path])
        elif verb == "unlink":
            self.change(path, None)

    def change(self, path, inode, also=None):
        self.waiting.append((path, inode, also))
        self.settle(self.names, [(path, inode, also)])

    @staticmethod
    def settle(names, changes):
        for path, inode, also in changes:
            for place, value in [(path, inode)] + ([also] if also else []):
                if value is None:
                    names.pop(place, None)
                else:
                    names[place] = value

    def after_loss(self, how, random_):
        """Names and contents as they may be found: changes of names in their order up to some point, contents that were not
        synced dropped, kept or garbled."""
        names = dict(self.sure)
        kept = {"dropped": 0, "kept": len(self.waiting)}.get(how, random_.randint(0, len(self.waiting)))
        self.settle(names, self.waiting[:kept])
        found = {}
        for path, inode in names.items():
            content, synced = bytes(self.contents[inode]), self.synced[inode]
            if content != synced:
                if how == "dropped":
                    content = synced or b""
                elif how == "garbled":
                    content = bytearray(content)
                    for _ in range(1 + len(content) // 64):
                        if content:
                            content[random_.randrange(len(content))] = random_.randrange(256)
                    content = bytes(content[: random_.randint(0, len(content))])
            found[path] = content
        return found


def power(bench):
    """Power lost after every call that changes a file."""
    source, calls = recorded(bench)
    disk, random_, losses, fallbacks = Disk(), random.Random(1), 0, 0
    assert sum(call[0] == "sync" for call in calls) > 10 and any(call[0] == "rename" for call in calls), "nothing was recorded"
    seen = set()
    for number, call in enumerate(calls):
        disk.do(call)
        for how in ("dropped", "kept", "garbled"):
            found = disk.after_loss(how, random_)
            key = repr(sorted(found.items()))
            if key in seen:
                continue
            seen.add(key)
            folder = bench.folder(f"power{losses}")
            for place in disk.folders:
                pathlib.Path(str(folder) + place[len(str(source)):]).mkdir(parents=True, exist_ok=True)
            for place, content in found.items():
                target = pathlib.Path(str(folder) + place[len(str(source)):])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            losses += 1
            bench.finish(folder, f"power lost after call {number} ({call[0]} {call[1]}), {how}")
            shutil.rmtree(folder)
    return f"power lost after {len(calls)} calls in {losses} different states, all resumed to the same bytes"


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
            assert status == 74 and is_one_line(errors), f"{size} KiB: ended with {status}: {errors}"
            assert not leftovers(folder), f"{size} KiB: left {leftovers(folder)}"
            subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
            bench.finish(folder, f"{size} KiB")
        finally:
            subprocess.run(["umount", place], check=True)
    assert full > 3, "no disk was too small"
    return f"{full} disks filled up at different places: exit 74, no leftovers, resumed to the same bytes"


def limit(bench):
    """Files may not grow beyond a bound."""
    import resource
    full, number = 0, 0
    for size in [0, 1, 64, 100, 400, 500, 600, 700, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 20000]:
        folder = bench.folder(f"limit{number}")
        number += 1
        status, errors = bench.train(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
        if status != 0:
            full += 1
            assert status == 74 and is_one_line(errors), f"{size} bytes: ended with {status}: {errors}"
            assert not leftovers(folder), f"{size} bytes: left {leftovers(folder)}"
        bench.finish(folder, f"files of at most {size} bytes")
        shutil.rmtree(folder)
    assert full > 3, "no file was too large"
    return f"{full} bounds on files exceeded: exit 74, no leftovers, resumed to the same bytes"


def sync(bench):
    """Each fsync in turn fails."""
    failed = number = 0
    while True:
        number += 1
        folder = bench.folder(f"sync{number}")
        log = bench.work / "syncs"
        status, errors = bench.train(folder, [
            "strace", "-f", "-qq", "-y", "-o", str(log), "-e", "trace=fsync", "-e", f"inject=fsync:error=EIO:when={number}"])
        if "(INJECTED)" not in log.read_text():
            assert status == 0, errors
            break
        failed += 1
        assert status == 74 and is_one_line(errors), f"fsync {number}: ended with {status}: {errors}"
        assert not leftovers(folder), f"fsync {number}: left {leftovers(folder)}"
        # The descriptor that failed is not synced again.
        place = [re.search(r"fsync\((\d+<[^>]*>)", line)[1] for line in log.read_text().splitlines() if "(INJECTED)" in line][0]
        after = log.read_text().split("(INJECTED)", 1)[1]
        assert f"fsync({place})" not in after or place.split("<")[1].startswith(str(folder / "runs")) is False or "tmp" not in place, place
        bench.finish(folder, f"fsync {number} failed")
        shutil.rmtree(folder)
    return f"each of {failed} syncs failed once: exit 74, no leftovers, resumed to the same bytes"


def watched(words, folder, every=0.5):
    """Runs a command and samples its memory (KiB), descriptors and threads."""
    process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            samples.append((int(re.search(r"VmRSS:\s+(\d+)", status)[1]), len(os.listdir(f"/proc/{process.pid}/fd")),
                            int(re.search(r"Threads:\s+(\d+)", status)[1])))
        except (OSError, TypeError):
            pass
        time.sleep(every)
    assert process.returncode == 0, f"{words}: ended with {process.returncode}"
    return samples


def soak(bench):
    """Nothing grows: the second half of a long run needs no more than the first."""
    folder = bench.folder("soak")
    lines = []
    config = json.loads((folder / "config.json").read_text())
    config["training"] = {"epochs": 2000, "batch_size": 4, "save_every_minutes": None}
    (folder / "config.json").write_text(json.dumps(config))
    clips = [str(path) for path in sorted((bench.work / "data").rglob("*.bin"))]
    runs = [
        ("2,000 epochs", [bench.vidclass, "train", "--config", "config.json", "--quiet", "--no-cache"]),
        ("20,000 predictions", [bench.vidclass, "predict", "--format", "csv", "--checkpoint",
                                str(bench.work / "whole/runs/train/weights/best.safetensors"), *(clips * (20000 // len(clips)))]),
    ]
    for name, words in runs:
        samples = watched(words, folder)
        half = len(samples) // 2
        early, late = samples[half // 4:half], samples[half:]
        assert len(early) >= 3, f"{name}: over too soon to be watched"
        for place, what, slack in ((0, "KiB of memory", 4096), (1, "descriptors", 2), (2, "threads", 1)):
            before, after = max(s[place] for s in early), max(s[place] for s in late)
            assert after <= before + slack, f"{name}: {what} grew from {before} to {after}"
        peak = [max(s[place] for s in samples) for place in range(3)]
        lines.append(f"{name}: at most {peak[0] / 1024:.0f} MiB, {peak[1]} descriptors, {peak[2]} threads, no growth in the second half")
    return "; ".join(lines)


CASES = {"kill": kill, "power": power, "disk": disk, "limit": limit, "sync": sync, "soak": soak}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", choices=[*CASES, []], help="all unless named")
    parser.add_argument("--program", required=True, help="the vidclass to break")
    options = parser.parse_args()
    failed = False
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory() as work:
            start = time.monotonic()
            try:
                result = CASES[name](Bench(options.program, pathlib.Path(work).resolve()))
            except AssertionError as error:
                result, failed = f"FAILED: {error}", True
            print(f"{name}: {result} ({time.monotonic() - start:.0f} s)", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
