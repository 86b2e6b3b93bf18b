"""Gives vidclass what strangers made, and watches it under strace.

The "videos" are playlists, scripts, documents with external references, links into other files, pictures of absurd size, a
decompression bomb, a pipe; names are addresses or options. Each goes to the commands that take clips: the exit code is the
documented one, with one line of error; the command opens no file that they point at, makes no socket of the internet, starts
no program but readers and, for animations, ffmpeg, writes only into the folders for output, cache and temporary files, and leaves
no child behind; time and memory are bounded. Then every command runs on good input under the same rules, but for the exit code.
"""

import json
import os
import pathlib
import random
import shutil
import uuid

from maintain import process

from .bench import CONFIG as TRAINING
from .hostile import bomb, hostile, movie
from .trace import MEMORY, Run, survivors

CONFIG = TRAINING | {"training": {"epochs": 2, "batch_size": 4}}


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
    missing = need("strace", "ffmpeg")
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
        # A file without a reason may be read in part, or whole without the files that it leads to.
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

    # Names that mean something to FFmpeg or to a parser of arguments, with nothing behind them.
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
    place("predict", "odd", forbidden=[secret], codes=(65,))
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
    missing = need("ffmpeg")
    if missing:
        return missing
    work = pathlib.Path(bench.work).resolve() / "damage"
    work.mkdir()
    process.quiet(bench.vidclass, "synth", "data", "--classes", "2", "--clips-per-class", "4", "--frames", "4", "--rows", "8", "--columns", "8", folder=work)
    (work / "config.json").write_text(json.dumps(CONFIG))
    process.quiet(bench.vidclass, "train", "--config", "config.json", "--quiet", folder=work)
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
            mark = uuid.uuid4().hex
            ended = process.watch([bench.vidclass, "predict", path.name], {**os.environ, "VIDCLASS_TRACED": mark, "VIDCLASS_FFMPEG_SECONDS": "20"},
                                  work, reap=False)
            errors = ended.errors.decode("utf-8", "replace")
            told = f"{extension} {what} at {at}: ended with {ended.status} after {ended.seconds:.1f} s: {errors}"
            assert ended.status in (0, 65), told
            assert ended.status == 0 or errors.count("vidclass: error: ") == 1 and "Fatal" not in errors, told
            assert ended.seconds < 60 and ended.peak_bytes < MEMORY, told
            assert not survivors(mark), f"left processes behind: {told}"
            tried, refused = tried + 1, refused + (ended.status == 65)
            longest, largest = max(longest, ended.seconds), max(largest, ended.peak_bytes)
    return (f"{tried} damaged videos of {len(sources)} containers, {refused} refused with 65, the others read: no signal, at most "
            f"{longest:.1f} s and {largest >> 20} MiB")
