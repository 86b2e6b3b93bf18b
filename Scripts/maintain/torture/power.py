"""Loss of power: the writes of a training are recorded and replayed up to each, with what was not synced dropped, kept or garbled."""

import os
import pathlib
import random
import re
import shutil

from . import trace
from .bench import TOUCHING


def recorded(bench):
    """The calls of a training that change files below its folder, in order."""
    folder = bench.folder("recorded")
    log = bench.work / "calls"
    status, errors = bench.train(
        folder, ["strace", "-f", "-qq", "-y", "-xx", "-s", str(1 << 24), "-o", str(log), "-e", f"trace={TOUCHING}", "-e", "signal=none"])
    assert status == 0, errors
    text = lambda hexadecimal: bytes(int(pair, 16) for pair in re.findall(r"\\x([0-9a-f]{2})", hexadecimal))
    name = lambda hexadecimal: os.path.normpath(os.path.join(folder, text(hexadecimal).decode()))
    calls = []
    for verb, words, result, _ in trace.calls(log):
        if not result.isdigit():
            continue
        words, strings = words.strip(), re.findall(r'"((?:\\x[0-9a-f]{2})*)"', words)
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


FOLDER = -1


class Disk:
    """What a file system holds below `root`: contents by inode, names, and what of both is sure to be there after power was lost."""

    def __init__(self, root):
        self.root = str(root)
        self.contents, self.synced, self.names, self.sure, self.waiting = [], [], {}, {}, []

    def do(self, call):
        verb, path = call[0], call[1]
        if verb == "mkdir":
            self.change(path, FOLDER)
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
            if self.names.get(path, FOLDER) != FOLDER:
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
        """Names and contents as they may be found: of the changes of names that were not synced none, all, the first few or any,
        of the contents that were not synced nothing, all or something else. A folder's content is None."""
        names = dict(self.sure)
        first = random_.randint(0, len(self.waiting))
        self.settle(names, {
            "dropped": [], "kept": self.waiting, "garbled": self.waiting[:first],
            "scattered": [change for change in self.waiting if random_.random() < 0.5]}[how])
        found = {}
        for path, inode in sorted(names.items()):
            if not self.is_reachable(path, names):
                continue
            if inode == FOLDER:
                found[path] = None
                continue
            content, synced = bytes(self.contents[inode]), self.synced[inode]
            if content != synced:
                fate = random_.choice(["dropped", "kept", "garbled"]) if how == "scattered" else how
                if fate == "dropped":
                    content = synced or b""
                elif fate == "garbled":
                    content = garbled(content, random_)
            found[path] = content
        return found

    def is_reachable(self, path, names):
        """Whether the folders above are there: what is in a folder that was lost is lost with it."""
        folder = os.path.dirname(path)
        return folder == self.root or (names.get(folder) == FOLDER and self.is_reachable(folder, names))


def garbled(content, random_):
    changed = bytearray(content)
    for _ in range(1 + len(changed) // 64 if changed else 0):
        changed[random_.randrange(len(changed))] = random_.randrange(256)
    return bytes(changed[: random_.randint(0, len(changed))])


def power(bench):
    """Power lost after every call that changes a file."""
    source, calls = recorded(bench)
    disk, random_, losses = Disk(source), random.Random(1), 0
    assert sum(call[0] == "sync" for call in calls) > 10 and any(call[0] == "rename" for call in calls), "nothing was recorded"
    seen = set()
    last = f"{source}/runs/train/weights/last.safetensors"
    # The states that were saved, and how many of them a training has been told are safe.
    saved, safe = [], 0
    for number, call in enumerate(calls):
        if call[0] == "rename" and call[2] == last:
            saved.append(bytes(disk.contents[disk.names[call[1]]]))
        disk.do(call)
        if call[:2] == ("sync", os.path.dirname(last)):
            safe = len(saved)
        for how in ("dropped", "kept", "garbled", "scattered"):
            found = disk.after_loss(how, random_)
            key = repr(sorted(found.items()))
            if key in seen:
                continue
            seen.add(key)
            what = f"power lost after call {number} ({call[0]} {call[1]}), {how}"
            assert safe == 0 or found.get(last) in saved[safe - 1:], f"{what}: a state that was saved is gone"
            assert found.get(last) is None or found[last] in saved, f"{what}: the last state is damaged"
            folder = bench.folder(f"power{losses}")
            for place, content in sorted(found.items()):
                target = pathlib.Path(str(folder) + place[len(str(source)):])
                if content is None:
                    target.mkdir()
                else:
                    target.write_bytes(content)
            losses += 1
            bench.finish(folder, what)
            shutil.rmtree(folder)
    assert len(saved) > 2, "nothing was saved"
    return f"power lost after {len(calls)} calls in {losses} different states, all resumed to the same bytes"
