"""System calls by strace: a command that runs under it, and what it touched."""

import codecs
import os
import pathlib
import re
import signal
import time
import uuid

from maintain import process

SECONDS = 60
MEMORY = 2 << 30
CHANGING = ("openat,open,creat,truncate,ftruncate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat,"
            "rmdir,chmod,fchmodat,chown,fchownat,lchown,mknod,mknodat,utimensat,setxattr")
TALKING = "socket,connect,bind,sendto,execve,chdir"


def calls(log):
    """(call, arguments, result, line) of each call of a trace. A call that another's line interrupts is put together again."""
    pending = {}
    with open(log, "rb") as lines:
        for line in lines:
            thread, rest = line.decode("utf-8", "surrogateescape").rstrip("\n").split(None, 1)
            if rest.endswith("<unfinished ...>"):
                pending[thread] = rest.removesuffix("<unfinished ...>")
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
            if resumed:
                rest = pending.pop(thread, "") + resumed[1]
            call = re.match(r"(\w+)\((.*)\)\s+= (-?\d+|\?)", rest)
            if call:
                yield call[1], call[2], call[3], rest


class Run:
    """A command that ran under strace: how it ended and what it touched."""

    def __init__(self, words, folder, variables=None, stdin=None, seconds=SECONDS):
        self.words = [os.fsdecode(word) for word in words]
        self.folder = pathlib.Path(folder)
        mark = uuid.uuid4().hex
        log = self.folder.parent / f"trace-{mark}"
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder.parent / "cache"), "TMPDIR": str(self.folder.parent / "temporary"),
                       "VIDCLASS_TRACED": mark, **(variables or {})}
        strace = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={CHANGING},{TALKING}", "-e", "signal=none", "-o", str(log)]
        self.ended = process.watch([*strace, *words], environment, folder, stdin, seconds, reap=False)
        self.survivors = survivors(mark)
        self.opened, self.written, self.sockets, self.programs = set(), set(), [], []
        self.read(log)
        log.unlink()

    def read(self, log):
        for verb, words, result, line in calls(log):
            failed = result.startswith("-")
            if verb in ("socket", "connect", "bind", "sendto"):
                if re.search(r"AF_INET6?|sin_addr|sin6_addr|AF_PACKET", words):
                    self.sockets.append(line)
                continue
            names = [codecs.escape_decode(text.encode("utf-8", "surrogateescape"))[0].decode("utf-8", "surrogateescape")
                     for text in re.findall(r'"((?:[^"\\]|\\.)*)"', words)]
            places = [os.path.normpath(os.path.join(self.folder, name)) for name in names]
            if verb == "execve":
                if not failed:
                    self.programs.append(places[0])
            elif verb in ("openat", "open", "creat"):
                self.opened.update(places[:1])
                if not failed and re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND", words) or verb == "creat":
                    self.written.update(places[:1])
            elif verb == "chdir":
                assert failed, f"{self}: changed its folder: {line}"
            elif verb == "ftruncate":
                place = re.match(r"\d+<([^>]*)>", words)
                self.written.add(place[1] if place else "?")
            elif not failed:
                self.written.update(places[:2] if verb.startswith(("rename", "link")) else places[-1:] if verb.startswith("symlink") else places[:1])

    def __str__(self):
        return " ".join(os.path.basename(word) if word.startswith("/") else repr(word) if " " in word else word for word in self.words)[:300]

    def hold(self, allowed, forbidden=(), codes=None, error=True):
        """Asserts the rules of every run; `allowed` are the folders and files that may be written."""
        status, output, errors = self.ended.status, self.ended.output, self.ended.errors
        told = f"{self} ended with {status} after {self.ended.seconds:.1f} s: {errors[-2000:].decode('utf-8', 'replace')}"
        assert not self.ended.hung, f"did not come to an end: {told}"
        assert not self.survivors, f"left processes behind: {self.survivors}: {told}"
        assert 0 <= status < 128, f"a signal: {told}"
        assert b"Fatal error" not in errors, f"a trap: {told}"
        if codes is not None:
            assert status in codes, f"expected exit {codes}: {told}"
        if codes is not None and error and status != 0:
            lines = [line for line in errors.decode("utf-8", "replace").splitlines() if re.match(r"vidclass: error: |Error: ", line)]
            assert len(lines) == 1, f"expected one line of error: {told}"
        for name, text in (("output", output), ("errors", errors)):
            # C1 controls in UTF-8, too.
            raw = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", text)
            assert not raw, f"raw control characters in its {name}: {text[max(0, raw.start() - 40):raw.start() + 40]}: {told}"
        for path in self.opened:
            assert not any(path == place or path.startswith(str(place) + "/") for place in forbidden), f"opened {path}: {told}"
        for path in self.programs:
            # A reader is the program itself; ffmpeg writes animations.
            is_reader = path == "/proc/self/exe" or os.path.realpath(path) == os.path.realpath(self.words[0])
            assert is_reader or os.path.basename(path) == "ffmpeg", f"started {path}: {told}"
        assert not self.sockets, f"made a socket: {self.sockets[0]}: {told}"
        for path in self.written:
            if re.match(r"/dev/(null|tty|zero)$|/proc/self/fd/|/memfd:|anon_inode|/proc/self/(coredump_filter|oom_score_adj)", path):
                continue
            assert any(path == str(place) or path.startswith(str(place) + "/") for place in allowed), f"wrote {path}: {told}"
        assert self.ended.peak_bytes < MEMORY, f"took {self.ended.peak_bytes >> 20} MiB: {told}"
        return self


def survivors(mark):
    """Processes with the mark in their environment; given a moment to go."""
    for _ in range(20):
        found = []
        for place in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark.encode() in (place / "environ").read_bytes() and "\nState:\tZ" not in (place / "status").read_text():
                    found.append(f"{place.name} {(place / 'cmdline').read_bytes().replace(bytes(1), b' ').decode(errors='replace')}")
            except OSError:
                pass
        if not found:
            return []
        time.sleep(0.1)
    for line in found:
        try:
            os.kill(int(line.split()[0]), signal.SIGKILL)
        except OSError:
            pass
    return found
