"""Gives vidclass what strangers made, and looks over its shoulder.

strangers  "videos" that are playlists, scripts, protocols, documents with external references, links into other files, pictures of
           absurd size, a decompression bomb, a pipe; and names that are addresses or options. Each goes to the commands that take
           clips, under strace: the exit code is the documented one, with one line of error; no file that they point at is opened, no
           socket of the internet made, nothing written outside of the folders for output, cache and temporary files, no child left
           behind; time and memory are bounded. Then every command on good input: the same, but for the exit code.
damage     videos cut off and with bits flipped at many places: exit 0 or 65, never a signal, in bounded time, no child left behind.

Needs strace and ffmpeg.
"""
import base64
import codecs
import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import time
import uuid
from .bench import CONFIG as TRAINING

SECONDS = 60
KIBIBYTES = 2 << 20
CONFIG = TRAINING | {"training": {"epochs": 2, "batch_size": 4}}
CHANGING = ("openat,open,creat,truncate,ftruncate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat,"
            "rmdir,chmod,fchmodat,chown,fchownat,lchown,mknod,mknodat,utimensat,setxattr")
TALKING = "socket,connect,bind,sendto,execve,chdir"


class Run:
    """A command that ran under strace: how it ended and what it touched."""

    def __init__(self, words, folder, variables=None, stdin=None, seconds=SECONDS):
        self.words = [os.fsdecode(word) for word in words]
        self.folder = pathlib.Path(folder)
        mark = uuid.uuid4().hex
        log = self.folder.parent / f"trace-{mark}"
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder.parent / "cache"), "TMPDIR": str(self.folder.parent / "temporary"),
                       "VIDCLASS_TRACED": mark, **(variables or {})}
        trace = ["strace", "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={CHANGING},{TALKING}", "-e", "signal=none", "-o", str(log)]
        start = time.monotonic()
        with open(log.with_suffix(".out"), "w+b") as output, open(log.with_suffix(".err"), "w+b") as errors:
            process = subprocess.Popen([*trace, *words], cwd=folder, env=environment, stdout=output, stderr=errors,
                                       stdin=open(stdin, "rb") if stdin else subprocess.DEVNULL, start_new_session=True)
            self.hung = False
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() - start > seconds:
                    self.hung = True
                    os.killpg(process.pid, signal.SIGKILL)
                    pid, status, usage = os.wait4(process.pid, 0)
                    break
                time.sleep(0.01)
            process.returncode = 0
            self.status = os.waitstatus_to_exitcode(status)
            self.kibibytes = usage.ru_maxrss
            self.seconds = time.monotonic() - start
            output.seek(0), errors.seek(0)
            self.output, self.errors = output.read(), errors.read()
        self.survivors = survivors(mark)
        self.opened, self.written, self.sockets, self.programs = set(), set(), [], []
        with open(log, "rb") as lines:
            self.read(lines)
        for path in (log, log.with_suffix(".out"), log.with_suffix(".err")):
            path.unlink()

    def read(self, lines):
        """Reads the trace. A call that was interrupted by another's line is put together again."""
        pending = {}
        for line in lines:
            thread, rest = line.decode("utf-8", "surrogateescape").rstrip("\n").split(None, 1)
            if rest.endswith("<unfinished ...>"):
                pending[thread] = rest[: -len("<unfinished ...>")]
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
            if resumed:
                rest = pending.pop(thread, "") + resumed[1]
            call = re.match(r"(\w+)\((.*)\)\s+= (-?\d+|\?)", rest)
            if not call:
                continue
            verb, words, failed = call[1], call[2], call[3].startswith("-")
            if verb in ("socket", "connect", "bind", "sendto"):
                if re.search(r"AF_INET6?|sin_addr|sin6_addr|AF_PACKET", words):
                    self.sockets.append(rest)
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
                assert failed, f"{self}: changed its folder: {rest}"
            elif verb == "ftruncate":
                place = re.match(r"\d+<([^>]*)>", words)
                self.written.add(place[1] if place else "?")
            elif not failed:
                self.written.update(places[:2] if verb.startswith(("rename", "link")) else places[-1:] if verb.startswith("symlink") else places[:1])

    def __str__(self):
        return " ".join(os.path.basename(word) if word.startswith("/") else repr(word) if " " in word else word for word in self.words)[:300]

    def hold(self, allowed, forbidden=(), codes=None, error=True):
        """Asserts what holds for every run; `allowed` are the folders and files that may be written."""
        told = f"{self} ended with {self.status} after {self.seconds:.1f} s: {self.errors[-2000:].decode('utf-8', 'replace')}"
        assert not self.hung, f"did not come to an end: {told}"
        assert not self.survivors, f"left processes behind: {self.survivors}: {told}"
        assert self.status >= 0 and self.status < 128, f"a signal: {told}"
        assert b"Fatal error" not in self.errors, f"a trap: {told}"
        if codes is not None:
            assert self.status in codes, f"expected exit {codes}: {told}"
        if codes is not None and error and self.status != 0:
            lines = [line for line in self.errors.decode("utf-8", "replace").splitlines() if re.match(r"vidclass: error: |Error: ", line)]
            assert len(lines) == 1, f"expected one line of error: {told}"
        for name, text in (("output", self.output), ("errors", self.errors)):
            # C1 controls in UTF-8, too.
            raw = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", text)
            assert not raw, f"raw control characters in its {name}: {text[max(0, raw.start() - 40):raw.start() + 40]}: {told}"
        for path in self.opened:
            assert not any(path == place or path.startswith(str(place) + "/") for place in forbidden), f"opened {path}: {told}"
        assert not self.sockets, f"made a socket: {self.sockets[0]}: {told}"
        for path in self.written:
            if re.match(r"/dev/(null|tty|zero)$|/proc/self/fd/|/memfd:|anon_inode|/proc/self/(coredump_filter|oom_score_adj)", path):
                continue
            assert any(path == str(place) or path.startswith(str(place) + "/") for place in allowed), f"wrote {path}: {told}"
        assert self.kibibytes < KIBIBYTES, f"took {self.kibibytes >> 10} MiB: {told}"
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


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", *words], check=True)


def movie(path, *options, size="64x48", frames=10, rate=10):
    ffmpeg("-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}", "-frames:v", str(frames), "-pix_fmt", "yuv420p", *options, str(path))
    return path.read_bytes()


# What strangers make -------------------------------------------------------------------------------------------------------------

def with_references(mov, entry):
    """A QuickTime film whose data reference is `entry`: the samples are said to lie in another file."""
    def change(data):
        result, at = b"", 0
        while at + 8 <= len(data):
            size, kind = struct.unpack(">I4s", data[at:at + 8])
            body = data[at + 8:at + size]
            if kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
                body = change(body)
            elif kind == b"dref":
                body = bytes(4) + struct.pack(">I", 1) + struct.pack(">I", 8 + len(entry) - 4) + entry
            result += struct.pack(">I4s", 8 + len(body), kind) + body
            at += size
        return result
    return change(mov)


def alias(path):
    """An `alis` record (Inside Macintosh: Files), as far as ffmpeg reads it."""
    path = path.encode()
    body = bytes(10) + bytes([3]) + b"vol".ljust(27, b"\0") + bytes(12) + bytes([6]) + b"canary".ljust(63, b"\0") + bytes(16)
    body += struct.pack(">HH", 1, 1) + bytes(16)
    for kind, text in ((0, b"secret"), (2, path)):
        body += struct.pack(">HH", kind, len(text)) + text + bytes(len(text) % 2)
    return b"alis" + bytes(4) + body + struct.pack(">H", 0xFFFF) + bytes(60)


def hostile(folder, secret):
    """Writes the files, and returns them with what is wrong with each."""
    canary, text = f"{secret}/canary.mp4", f"{secret}/canary.txt"
    relative = os.path.relpath(canary, folder)
    made = {}

    def add(name, content, why):
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        made[name] = why

    playlist = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"
    for number, address in enumerate([canary, "file://" + canary, relative, "http://127.0.0.1:9/a.ts", "https://127.0.0.1:9/a.ts",
                                      f"concat:{canary}|{canary}", f"subfile,,start,0,end,0,,:{canary}", f"crypto:{canary}",
                                      f"data:video/mp4;base64,{base64.b64encode(b'x' * 90).decode()}", "tcp://127.0.0.1:9", "udp://127.0.0.1:9"]):
        for extension in ("mp4", "avi", "mkv", "mov", "gif", "ts") if number in (0, 3) else ("mp4",):
            add(f"playlist{number}.{extension}", playlist.format(address), "an HLS playlist")
    add("key.mp4", f'#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-KEY:METHOD=AES-128,URI="file://{text}",IV=0x{0:032x}\n#EXT-X-MAP:URI="{canary}"\n'
        f"#EXTINF:5,\n{canary}\n#EXT-X-ENDLIST\n", "a playlist with a key and a map")
    add("master.mp4", f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://{canary}\n", "a playlist of playlists")
    add("m3u.mp4", f"#EXTM3U\n{canary}\n", "a plain playlist")
    # The hole of 2016: a playlist behind the beginning of an AVI.
    add("gab2.avi", b"RIFF\xff\xff\xff\x00AVI LIST\x14\x01\x00\x00hdrlavih8" + b"\0" * 60 + b"GAB2\0" + playlist.format(text).encode(), "a playlist in an AVI")
    for extension in ("mp4", "mkv"):
        add(f"concat.{extension}", f"ffconcat version 1.0\nfile '{canary}'\n", "a script that concatenates")
    add("concat2.mp4", f"ffconcat version 1.0\nfile 'http://127.0.0.1:9/a.mp4'\noption protocol_whitelist file,http,tcp\n", "a script with options")
    add("session.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n", "SDP")
    add("stream.mp4", "[playlist]\nFile1=rtsp://127.0.0.1:9/a\nNumberOfEntries=1\n", "a PLS playlist")
    add("dash.mp4", f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S"><Period>'
        f'<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>file://{canary}</BaseURL></Representation>'
        "</AdaptationSet></Period></MPD>", "a DASH manifest")
    add("imf.mp4", f'<?xml version="1.0"?><AssetMap><AssetList><Asset><Path>{canary}</Path></Asset></AssetList></AssetMap>', "an IMF asset map")
    add("entity.mp4", f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file://{text}">]><svg xmlns="http://www.w3.org/2000/svg">'
        f'<image href="file://{canary}" width="9" height="9"/><text>&x;</text></svg>', "an SVG with an external entity")
    add("script.mp4", f'a = AviSource("{canary}")\nreturn a\n', "an AviSynth script")
    add("lavfi.mp4", f"movie={canary}\n", "a filter graph")
    add("subtitles.mkv", f"1\n00:00:00,000 --> 00:00:05,000\n{canary}\n", "subtitles")
    add("numbers%03d.mp4", "x", "a pattern of pictures")
    add("text.mp4", "this is no video\n", "text")
    add("empty.mp4", "", "nothing")
    add("zeros.mkv", bytes(100_000), "zeros")
    add("noise.avi", random.Random(1).randbytes(100_000), "noise")
    add("elf.mp4", pathlib.Path("/bin/true").read_bytes(), "a program")

    plain = movie(folder / "plain.mov", "-c:v", "mjpeg")
    (folder / "plain.mov").unlink()
    for number, address in enumerate([f"file://{canary}", canary, "http://127.0.0.1:9/a.mov", relative]):
        add(f"reference{number}.mov", with_references(plain, b"url " + bytes(4) + address.encode() + b"\0" * 160), None)
    add("alias.mov", with_references(plain, alias(canary)), None)
    add("reference.mp4", b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + struct.pack(">I4s", 8 + 8 + 8 + 12 + 4 + len(canary) + 1, b"moov")
        + struct.pack(">I4s", 8 + 8 + 12 + 4 + len(canary) + 1, b"rmra") + struct.pack(">I4s", 8 + 12 + 4 + len(canary) + 1, b"rmda")
        + struct.pack(">I4sI4sI", 12 + 4 + len(canary) + 1, b"rdrf", 0, b"url ", len(canary) + 1) + canary.encode() + b"\0", "a reference movie")

    # Linked segments: a film whose other half has another file's number (Matroska, SegmentUID and NextFilename).
    linked = movie(folder / "linked.mkv", "-c:v", "mjpeg")
    name = canary.encode()
    info = linked.index(b"\x15\x49\xa9\x66")
    width = 8 - linked[info + 4].bit_length() + 1
    size = int.from_bytes(linked[info + 4:info + 4 + width], "big") & ((1 << 7 * width) - 1)
    extra = b"\x3e\x83\xbb" + (len(name) | 0x4000).to_bytes(2, "big") + name + b"\x3e\xb9\x23\x90" + bytes(16)
    add("linked.mkv", linked[:info + 4] + ((size + len(extra)) | 1 << 56).to_bytes(8, "big") + extra + linked[info + 4 + width:], None)

    wide = movie(folder / "wide.mkv", "-c:v", "mjpeg", size="320x320")
    (folder / "wide.mkv").unlink()
    add("absurd.mkv", wide.replace(b"\xb0\x82\x01\x40", b"\xb0\x82\xff\xff").replace(b"\xba\x82\x01\x40", b"\xba\x82\xff\xff"), None)
    for codec in ("rawvideo", "mpeg4"):
        avi = movie(folder / "absurd.avi", "-c:v", codec, size="320x320")
        (folder / "absurd.avi").unlink()
        at = avi.index(b"strf")
        for side in ((1 << 30, 1 << 30), (0x7FFFFFFF, 0x7FFFFFFF), (60000, 60000), (0, 0), (1, 100_000)):
            add(f"absurd-{codec}-{side[0]}x{side[1]}.avi", avi[:at + 12] + struct.pack("<II", *side) + avi[at + 20:], None)
    gif = movie(folder / "absurd.gif", "-pix_fmt", "rgb8", frames=3)
    (folder / "absurd.gif").unlink()
    add("absurd.gif", gif[:6] + b"\xff\xff\xff\xff" + gif[10:], None)
    return made


def bomb(path):
    """Pictures of 120 million points, of one colour, over and over: gigabytes in a file of megabytes."""
    one = path.with_name("one.mkv")
    ffmpeg("-f", "lavfi", "-i", "color=black:size=12000x10000:rate=10", "-frames:v", "1", "-c:v", "png", "-pred", "none", str(one))
    ffmpeg("-stream_loop", "199", "-i", str(one), "-c", "copy", str(path))
    one.unlink()


# The cases -----------------------------------------------------------------------------------------------------------------------

class Place:
    """Folders to run in: `run` with a model in it, where output goes, and beside it cache and temporary files."""

    def __init__(self, bench, name):
        self.vidclass = str(bench.vidclass)
        self.root = pathlib.Path(bench.work).resolve() / name
        self.run = self.root / "run"
        self.run.mkdir(parents=True)
        for folder in ("cache", "temporary"):
            (self.root / folder).mkdir()
        self.allowed = [self.run, self.root / "cache", self.root / "temporary"]
        self.count = 0

    def __call__(self, *words, forbidden=(), codes=(0,), **options):
        self.count += 1
        return Run([self.vidclass, *words], self.run, **options).hold(self.allowed, forbidden, codes)

    def model(self):
        self("synth", "data", "--classes", "2", "--clips-per-class", "4", "--frames", "4", "--rows", "8", "--columns", "8")
        (self.run / "config.json").write_text(json.dumps(CONFIG))
        self("train", "--config", "config.json", "--quiet")


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            return f"not tried: {program} is not installed"
    return None


def strangers(bench):
    """Hostile clips and names, then every command on good ones."""
    missing = need("strace", "ffmpeg", "ffprobe")
    if missing:
        return missing
    place = Place(bench, "strangers")
    place.model()
    # Outside of everything that is named to vidclass.
    secret = place.root / "secret"
    secret.mkdir()
    movie(secret / "canary.mp4")
    (secret / "canary.txt").write_text("the secret\n")
    before = sorted((path, path.stat().st_mtime_ns) for path in secret.iterdir())

    files = place.run / "hostile"
    files.mkdir()
    made = hostile(files, secret)
    os.mkfifo(files / "pipe.mp4")
    made["pipe.mp4"] = "a pipe"
    bomb(files / "bomb.mkv")
    made["bomb.mkv"] = None
    limits = {"VIDCLASS_FFMPEG_SECONDS": "5"}
    for name, why in made.items():
        # Where nothing is said, a part of it may be read, or all of it without what it leads to.
        codes = (65,) if why else (0, 65)
        clip = f"hostile/{name}"
        for words in (["predict", clip], ["inspect", clip], ["pack", clip, f"packed/{name}.bin"]):
            place(*words, forbidden=[secret], codes=codes, variables=limits)
        assert not why or not (place.run / f"packed/{name}.bin").exists(), f"{name}: a refused file was packed"
        shutil.rmtree(place.run / "set", ignore_errors=True)
        shutil.copytree(place.run / "data", place.run / "set")
        classes = sorted(path for path in (place.run / "set").iterdir() if path.is_dir())
        os.link(files / name, classes[0] / name)
        (place.run / "set.json").write_text(json.dumps({**CONFIG, "data": {**CONFIG["data"], "path": "set"}, "output": {"exist_ok": True, "name": "set"}}))
        place("check", "set", "--no-cache", forbidden=[secret], codes=codes, variables=limits)
        place("train", "--config", "set.json", "--quiet", forbidden=[secret], codes=codes, variables=limits)
    commands = place.count

    # Names that mean something to ffmpeg or to a parser of arguments, with nothing behind them.
    canary = f"{secret}/canary.mp4"
    names = ["http://127.0.0.1:9/a.mp4", "https://127.0.0.1:9/a.mp4", "ftp://127.0.0.1:9/a.mp4", "rtmp://127.0.0.1:9/a.mp4", "file://" + canary,
             "file:" + canary, f"concat:{canary}|{canary}", f"subfile,,start,0,end,0,,:{canary}", f"crypto:{canary}", f"cache:{canary}",
             f"async:{canary}", f"md5:{place.root}/written.mp4", f"tee:{place.root}/written.mp4", "data:video/mp4;base64,AAAA.mp4", "pipe:0.mp4",
             "fd:0.mp4", "lavfi:testsrc.mp4", "%03d.mp4", "@list.mp4", "-.mp4", "-i.mp4", "--output=/x.mp4", "$(touch x).mp4", "`touch x`.mp4",
             ";touch x;.mp4", "\x1b]0;owned\x07\x1b[2J.mp4", "\x9b31m.mp4", "a\nvidclass: error: b.mp4", "\u202egpj.mp4", "n" * 251 + ".mp4",
             "n" * 300 + ".mp4", "a" * 5000 + ".mp4", "/dev/zero", "/dev/stdin.mp4", "nothing/..", "hostile/text.mp4/..", ""]
    for name in names:
        for words in (["predict", "--", name], ["inspect", "--", name], ["explain", "--", name], ["pack", "--", name, "packed"], ["check", "--", name]):
            place(*words, forbidden=[secret], codes=(64, 65, 66, 74))
        place("train", "--config", "config.json", "--set", f"data.path={name}", forbidden=[secret], codes=(64, 65, 66, 74))
        place("predict", name, forbidden=[secret], codes=(64, 65, 66, 74))

    # The same names as files: read as what they are.
    clip = movie(files / "good.mp4")
    (place.run / "odd").mkdir()
    odd = 0
    for name in names:
        inside = name.replace("/", "_")
        if inside in ("", "..", "_") or len(os.fsencode(inside)) > 255 or not inside.endswith(".mp4"):
            continue
        (place.run / "odd" / inside).write_bytes(clip)
        place("predict", f"odd/{inside}", "--format", "json", forbidden=[secret])
        odd += 1
    # And names that are no text.
    strange = os.fsencode(place.run) + b"/odd/\xff\xfe\x1b[31m.mp4"
    with open(strange, "wb") as file:
        file.write(clip)
    place("predict", "odd", forbidden=[secret])
    place("predict", b"odd/\xff\xfe\x1b[31m.mp4", forbidden=[secret], codes=(0, 65, 66))
    assert sorted((path, path.stat().st_mtime_ns) for path in secret.iterdir()) == before, "the secret was touched"
    assert not list(place.root.glob("written*")) and not list(place.root.rglob("x")), "a name was obeyed"
    hostile_runs = place.count

    good = commands_on_good_input(bench)
    return (f"{len(made)} hostile files and {len(names)} hostile names in {hostile_runs} commands, {odd + 1} files of such names read, "
            f"{good} commands on good input: no foreign file opened or written, no socket, no child left")


def commands_on_good_input(bench):
    """Every command; what is written lies in the folder for output, the cache or among temporary files."""
    place = Place(bench, "good")
    place.model()
    source = place.root / "source"
    for label in ("one", "two"):
        (source / label).mkdir(parents=True)
        for number in range(4):
            movie(source / label / f"{number}.mp4", "-vf", f"hue=h={90 * number}" if label == "one" else f"negate,hue=h={40 * number}")
    inputs = {path: path.stat().st_mtime_ns for path in source.rglob("*")}
    clip, best = str(source / "one/0.mp4"), "runs/train/weights/best.safetensors"
    place("--help"), place("--version"), place("train", "--help")
    place("init", str(source), "--output", "init.json")
    place("check", str(source)), place("check", str(source), "--json", "--no-cache")
    place("train", "--config", "config.json", "--json"), place("train", "--config", "config.json", "--verbose")
    place("train", "--config", "config.json", "--set", f"data.path={source}", "--set", "output.name=films")
    place("train", "--config", "config.json", "--dry-run")
    place("train", "--config", "config.json", "--folds", "2", "--set", "output.name=folds", "--quiet")
    place("train", "--resume", "runs/train", "--set", "training.epochs=3"), place("train", "--resume")
    place("eval"), place("eval", "--json", "--no-report"), place("eval", "--checkpoint", best, "--data", "data", "--output", "measured")
    place("predict", clip), place("predict", str(source), "--format", "csv"), place("predict", clip, "--format", "json", "--window", "0.5")
    place("predict", "-", stdin=clip)
    place("explain", clip), place("explain", clip, "--animation", "--format", "json", "--output", "why")
    place("explain", clip, "--output", "why.mp4")
    place("pack", str(source), "packed"), place("pack", clip, "packed/one.bin")
    place("inspect", clip), place("inspect", "config.json"), place("inspect", best, "--json")
    place("runs"), place("runs", "--json"), place("compare", "train", "train2", "--output", "curves.svg")
    place("cache"), place("cache", "clear", codes=(0, 64)), place("weights", "list"), place("weights", "import", "nothing.h5", codes=(66,))
    place("bench", "gemm", "--json"), place("bench", "head", "--json", "--frames", "2", "--batch", "2"), place("doctor")
    place("--generate-completion-script", "bash")
    assert inputs == {path: path.stat().st_mtime_ns for path in source.rglob("*")}, "an input was written to"
    return place.count


def damage(bench):
    """Videos cut off and with bits flipped, 60 of each for every container."""
    missing = need("ffmpeg", "ffprobe")
    if missing:
        return missing
    work = pathlib.Path(bench.work).resolve() / "damage"
    work.mkdir()
    run = lambda *words: subprocess.run([str(bench.vidclass), *words], cwd=work, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    run("synth", "data", "--classes", "2", "--clips-per-class", "4", "--frames", "4", "--rows", "8", "--columns", "8")
    (work / "config.json").write_text(json.dumps(CONFIG))
    run("train", "--config", "config.json", "--quiet")
    random_, tried, refused, longest, largest = random.Random(20), 0, 0, 0.0, 0
    sources = [("mp4", ["-c:v", "libx264"]), ("avi", ["-c:v", "mpeg4"]), ("webm", ["-c:v", "libvpx"]), ("mkv", ["-c:v", "ffv1"]),
               ("mov", ["-c:v", "mjpeg"]), ("ts", ["-c:v", "mpeg2video"]), ("gif", ["-pix_fmt", "rgb8"])]
    for extension, options in sources:
        whole = movie(work / f"whole.{extension}", *options, frames=25, rate=25)
        cuts = sorted(set(list(range(0, 64, 8)) + [random_.randrange(len(whole)) for _ in range(52)]))
        cases = [("cut", at, whole[:at]) for at in cuts]
        for number in range(60):
            bad = bytearray(whole)
            # A third of them among the headers, where the most is decided.
            bound = min(len(bad), 1024) if number % 3 == 0 else len(bad)
            places = [random_.randrange(bound) for _ in range(1 + number % 4)]
            for at in places:
                bad[at] ^= 1 << random_.randrange(8)
            cases.append(("flipped", places, bytes(bad)))
        for what, at, content in cases:
            path = work / f"bad.{extension}"
            path.write_bytes(content)
            mark, start = uuid.uuid4().hex, time.monotonic()
            process = subprocess.Popen([str(bench.vidclass), "predict", path.name], cwd=work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, env={**os.environ, "VIDCLASS_TRACED": mark, "VIDCLASS_FFMPEG_SECONDS": "20"})
            errors = process.stderr.read().decode("utf-8", "replace")
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status = os.waitstatus_to_exitcode(status)
            seconds = time.monotonic() - start
            told = f"{extension} {what} at {at}: ended with {status} after {seconds:.1f} s: {errors}"
            assert status in (0, 65), told
            assert status == 0 or errors.count("vidclass: error: ") == 1 and "Fatal" not in errors, told
            assert seconds < 60 and usage.ru_maxrss < KIBIBYTES, told
            assert not survivors(mark), f"left processes behind: {told}"
            tried, refused = tried + 1, refused + (status == 65)
            longest, largest = max(longest, seconds), max(largest, usage.ru_maxrss)
    return (f"{tried} damaged videos of {len(sources)} containers, {refused} refused with 65, the others read: no signal, at most "
            f"{longest:.1f} s and {largest >> 10} MiB")
