#!/usr/bin/env python3
"""Makes a data set with one question about real videos: do they run forwards or backwards?

    python3 Scripts/make_arrow_of_time.py SOURCE OUT [--frames 16] [--fps F] [--rows 64] [--columns 64]
                                          [--stretches 4] [--validation 0] [--test 1] [--gap 2] [--step N]
                                          [--tile N] [--motion M] [--centred | --still] [--shuffled SEED] [--vidclass PROGRAM]

SOURCE is a folder of videos (or of .npy or .bin clips), or a CSV with the header `path[,label][,split][,group]`, paths
relative to it. OUT, which must not hold a data set yet, becomes

    OUT/forwards/<video>-<stretch>-<cut>.bin     a cut as it was filmed
    OUT/backwards/<video>-<stretch>-<cut>.bin    exactly its frames, to the last bit, in reverse order
    OUT/arrow.csv                                path,label,split,group: name it in data.path

so only the order of the frames tells the class, and no single frame does. `vidclass pack` decodes each video once, all of its
frames at the wanted size; cuts are taken from these and nothing is compressed again, because an encoder would start every
cut with a key frame and so give its beginning away.

A video is divided into --stretches equal stretches of time. The last --test of them are the test split, the --validation
before those the validation split, the others are for training: the test measures footage that training has not seen, not only
new cuts. (With --validation 0, data.validation_split holds whole stretches out.) All cuts of a stretch, both ways, are one
group. --gap frames at the end of each stretch are left out, so that neighbouring frames are never in two splits. Training cuts
begin every --step frames (half a cut by default); those of other splits do not overlap, so that each counts as one observation.

A video that SOURCE assigns to a split (the CSV's `split`, or a first folder named train, val or test) stays in it whole: it is
one stretch, and its group is the CSV's, or its own.

--tile N cuts space, too: frames of --rows x --columns are divided into squares of N pixels, and a square is a clip where
something moves in it: where pixels of frames half a cut apart differ by --motion grey levels on average, without the frames'
mean difference, because a lamp's flicker is not motion. The measure is the same both ways. Squares show moving things larger
and make many clips from a camera that stands still; those of one stretch are one group.

With --centred, squares lie around moving things and not side by side: first where most moves, then where most moves in the
rest, and so on; squares of a cut never overlap. --still takes the squares side by side in which little moves: a classifier
that does better than chance on these has learned the lamp, the camera or the encoder. --shuffled SEED puts the frames of every
clip, of both classes, into a random order: on this control no classifier can be better than chance.

The direction of swimming fish carries over to a video never seen, because they swim head first. The results on zebrafish in
README were found so (the films, 18 s each of eight fish from above, are in a package of PyPI; a training takes some minutes on
two cores):

    pip download --no-deps idtrackerai==6.0.14 && unzip idtrackerai-*.whl 'idtrackerai/data/*.avi'
    (echo path,split; echo idtrackerai/data/test_A.avi,; echo idtrackerai/data/test_B.avi,test) > fish.csv
    SQUARES="--rows 312 --columns 384 --tile 48 --motion 2"
    CUTS="--frames 12 --step 4 --stretches 5 --validation 1 --test 0"
    python3 Scripts/make_arrow_of_time.py fish.csv fish $SQUARES --centred $CUTS
    python3 Scripts/make_arrow_of_time.py fish.csv shuffled $SQUARES --centred $CUTS --shuffled 1
    python3 Scripts/make_arrow_of_time.py fish.csv still $SQUARES --still $CUTS
    vidclass train --config Configs/arrow-of-time.json --set seed=1        # and 2, 3
    vidclass eval --checkpoint runs/arrow-of-time/weights/best.safetensors --split test
    vidclass eval --checkpoint runs/arrow-of-time/weights/best.safetensors --data shuffled/arrow.csv --split test
    vidclass eval --checkpoint runs/arrow-of-time/weights/best.safetensors --data still/arrow.csv --split test

Needs nothing but Python 3.9 and vidclass (on the PATH, in .build/release or as --vidclass).
"""

import argparse
import csv
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

PARTS = ("train", "val", "test")
HEADER = struct.Struct("<8sHBB4IfQI16sI")  # of a .bin clip: 64 bytes, little-endian
MAGIC = b"\x89VCLP\r\n\x1a"


def arguments():
    p = argparse.ArgumentParser(description="Cuts real videos into clips that run forwards and the same clips backwards.")
    p.add_argument("source", type=pathlib.Path, metavar="SOURCE", help="a folder of videos, or a CSV path[,label][,split][,group]")
    p.add_argument("out", type=pathlib.Path, metavar="OUT", help="the data set's folder")
    p.add_argument("--frames", type=int, default=16, help="frames of a cut (default: 16)")
    p.add_argument("--fps", type=float, help="frames a second to take; each video's own by default")
    p.add_argument("--rows", type=int, default=64, help="rows of a frame (default: 64)")
    p.add_argument("--columns", type=int, default=64, help="columns of a frame (default: 64)")
    p.add_argument("--stretches", type=int, default=4, help="stretches of time of a video (default: 4)")
    p.add_argument("--validation", type=int, default=0, help="stretches for validation (default: 0)")
    p.add_argument("--test", type=int, default=1, help="stretches for the test, the last ones (default: 1)")
    p.add_argument("--gap", type=int, default=2, help="frames left out at the end of a stretch (default: 2)")
    p.add_argument("--step", type=int, help="frames from one training cut to the next (default: half of --frames)")
    p.add_argument("--tile", type=int, help="pixels of the squares that frames are cut into; the whole frame by default")
    p.add_argument("--motion", type=float, default=6, help="mean change of a square that is kept, in grey levels (default: 6)")
    p.add_argument("--centred", action="store_true", help="with --tile: squares around what moves, not side by side")
    p.add_argument("--still", action="store_true", help="with --tile: squares in which nothing moves (a control)")
    p.add_argument("--shuffled", type=int, metavar="SEED", help="the control: frames in an order drawn at random")
    p.add_argument("--vidclass", help="the program")
    a = p.parse_args()
    a.step = a.step or max(1, a.frames // 2)
    if a.frames < 2 or a.step < 1 or min(a.gap, a.validation, a.test) < 0:
        p.error("--frames must be at least 2, --step at least 1, --gap, --validation and --test at least 0")
    if a.tile is not None and not 8 <= a.tile <= min(a.rows, a.columns):
        p.error(f"--tile must be from 8 to the frame's shorter side, {min(a.rows, a.columns)}")
    if a.validation + a.test >= a.stretches:
        p.error(f"--validation {a.validation} and --test {a.test} leave none of {a.stretches} stretches to train on")
    if (a.centred or a.still) and a.tile is None or a.centred and a.still:
        p.error("--centred and --still say which squares of --tile N to take, one of them")
    return a


def program(given):
    here = pathlib.Path(__file__).resolve().parent.parent / ".build" / "release" / "vidclass"
    found = given or shutil.which("vidclass") or (str(here) if here.exists() else None)
    if not found:
        sys.exit("make_arrow_of_time: no vidclass on the PATH or in .build/release; build it or name it with --vidclass")
    return found


def videos(source):
    """(path, name, part or None, group) of each video; sorted, so that the same source gives the same data set."""
    if source.is_dir():
        paths = sorted(p for p in source.rglob("*") if p.is_file() and not any(n.startswith(".") for n in p.relative_to(source).parts))
        rows = [{"path": str(p.relative_to(source))} for p in paths]
        for row in rows:
            first = pathlib.PurePath(row["path"]).parts[0]
            row["split"] = first if first in PARTS else ""
        root = source
    elif source.is_file():
        with open(source, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows or not rows[0].get("path"):
            sys.exit(f"make_arrow_of_time: {source}: expected a CSV with a header that has `path`, and rows")
        root = source.parent
    else:
        sys.exit(f"make_arrow_of_time: {source}: no such file or folder")
    found = []
    for number, row in enumerate(rows):
        part = row.get("split") or None
        if part not in (None, *PARTS):
            sys.exit(f"make_arrow_of_time: {source}: row {number + 1}: split is \"{part}\", expected train, val, test or nothing")
        plain = re.sub(r"[^A-Za-z0-9._]+", "_", str(pathlib.PurePath(row["path"]).with_suffix("")))
        name = f"{number:04d}_{plain}"[:120]
        found.append((root / row["path"], name, part, row.get("group") or name))
    return found


def decode(vidclass, video, options, folder):
    """All frames of a video: a list of equal blocks of bytes, and the header's fields; or None and why."""
    packed = folder / "all.bin"
    words = [vidclass, "pack", str(video), str(packed), "--frames", "0", "--rows", str(options.rows), "--columns", str(options.columns)]
    if options.fps:
        words += ["--fps", str(options.fps)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0 or not packed.exists():
        return None, " ".join((done.stderr or done.stdout).split())[:200]
    data = packed.read_bytes()
    packed.unlink()
    fields = HEADER.unpack_from(data)
    if fields[0] != MAGIC or fields[1] != 1 or fields[10] != zlib.crc32(data[HEADER.size:]):
        sys.exit(f"make_arrow_of_time: {video}: vidclass pack did not write a clip of version 1 with the right checksum")
    count = fields[4]
    size = (len(data) - HEADER.size) // count
    return [data[HEADER.size + i * size:HEADER.size + (i + 1) * size] for i in range(count)], fields


def change(frames, columns, side):
    """How much blocks of side x side pixels change, by rows: sums of |difference - the frame's mean difference| from the first
    frame to the middle one or from there to the last, whichever is more. `frames` are planes of one colour."""
    half = len(frames) // 2
    found = None
    for i in sorted({0, len(frames) - 1 - half}):
        step = [b - a for a, b in zip(frames[i], frames[i + half])]
        mean = sum(step) / len(step)
        step = [abs(d - mean) for d in step]
        lines = [[sum(step[at + x:at + x + side]) for x in range(0, columns - side + 1, side)] for at in range(0, len(step), columns)]
        blocks = [[sum(column) for column in zip(*lines[y:y + side])] for y in range(0, len(lines) - side + 1, side)]
        found = [[max(a, b) for a, b in zip(p, q)] for p, q in zip(found or blocks, blocks)]
    return found


def adder(blocks):
    """The function (top, left, n) -> the sum of n x n blocks."""
    total = [[0] * (len(blocks[0]) + 1)]
    for row in blocks:
        line = [0]
        for value in row:
            line.append(line[-1] + value)
        total.append([a + b for a, b in zip(line, total[-1])])
    return lambda y, x, n: total[y + n][x + n] - total[y][x + n] - total[y + n][x] + total[y][x]


def places(frames, columns, options):
    """(top, left) of a cut's squares; `frames` are planes of one colour."""
    side = max(1, options.tile // 8)
    blocks = change(frames, columns, side)
    moved, n = adder(blocks), options.tile // side
    least = options.motion * (n * side) ** 2
    tall, wide = len(blocks) - n, len(blocks[0]) - n
    if not options.centred:
        grid = [(y, x) for y in range(tall % n // 2, tall + 1, n) for x in range(wide % n // 2, wide + 1, n)]
        return [(y * side, x * side) for y, x in grid if (moved(y, x, n) < least) == options.still]
    inner = n // 2  # a square's middle counts twice, to have there what moves
    found = [(moved(y, x, n), y, x) for y in range(tall + 1) for x in range(wide + 1)]
    found = [(whole + moved(y + (n - inner) // 2, x + (n - inner) // 2, inner), y, x) for whole, y, x in found if whole >= least]
    taken = []
    for _, y, x in sorted(found, key=lambda f: (-f[0], f[1:])):
        if all(abs(y - v) >= n or abs(x - u) >= n for v, u in taken):
            taken.append((y, x))
    return [(y * side, x * side) for y, x in taken]


def squares(frames, fields, options):
    """(suffix of the name, frames, rows, columns) of what a cut gives: itself, or its squares."""
    channels, rows, columns = fields[5:8]
    if options.tile is None:
        yield "", frames, rows, columns
        return
    n, plane = options.tile, rows * columns
    first = plane if channels == 3 else 0  # green, or grey
    for top, left in places([frame[first:first + plane] for frame in frames], columns, options):
        lines = [(c * rows + y) * columns + left for c in range(channels) for y in range(top, top + n)]
        yield f"-{top}x{left}", [b"".join(frame[at:at + n] for at in lines) for frame in frames], n, n


def write(path, frames, fields, rows, columns):
    """A clip of these frames of rows x columns, its header otherwise that of `fields`."""
    payload = b"".join(frames)
    head = HEADER.pack(
        MAGIC, 1, fields[2], 0, len(frames), fields[5], rows, columns, fields[8], len(payload), zlib.crc32(payload), bytes(16), 0)
    path.write_bytes(head[:60] + struct.pack("<I", zlib.crc32(head[:60])) + payload)


def stretches(count, part, options):
    """(first, end, part, number) of each stretch of a video of `count` frames; number is None for a whole video."""
    if part:
        return [(0, count, part, None)]
    n = options.stretches
    parts = ["train"] * (n - options.validation - options.test) + ["val"] * options.validation + ["test"] * options.test
    return [(count * i // n, count * (i + 1) // n - (options.gap if i < n - 1 else 0), parts[i], i) for i in range(n)]


def main():
    options = arguments()
    vidclass = program(options.vidclass)
    if (options.out / "arrow.csv").exists() or (options.out / "forwards").exists():
        sys.exit(f"make_arrow_of_time: {options.out} already holds a data set; name another folder or remove it")
    for way in ("forwards", "backwards"):
        (options.out / way).mkdir(parents=True)
    rows, passed = [], []
    cuts = dict.fromkeys(PARTS, 0)
    with tempfile.TemporaryDirectory(dir=options.out) as scratch:
        for video, name, given, group in videos(options.source):
            frames, fields = decode(vidclass, video, options, pathlib.Path(scratch))
            if frames is None:
                passed.append(f"{video}: {fields}")
                continue
            for first, end, part, number in stretches(len(frames), given, options):
                step = options.step if part == "train" else options.frames
                starts = range(first, end - options.frames + 1, step)
                stretch = "" if number is None else f"-{number}"
                if not starts:
                    passed.append(f"{video}: stretch {number or 0} ({part}) has {max(0, end - first)} frames, fewer than {options.frames}")
                for cut, start in enumerate(starts):
                    for square, chosen, tall, wide in squares(frames[start:start + options.frames], fields, options):
                        file = f"{name}{stretch}-{cut:03d}{square}.bin"
                        for way, order in (("forwards", chosen), ("backwards", chosen[::-1])):
                            if options.shuffled is not None:
                                order = random.Random(f"{options.shuffled} {way} {file}").sample(order, len(order))
                            write(options.out / way / file, order, fields, tall, wide)
                            rows.append((f"{way}/{file}", way, part, f"{group}{stretch}"))
                        cuts[part] += 1
    with open(options.out / "arrow.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("path", "label", "split", "group"))
        writer.writerows(rows)
    for line in passed:
        print(f"passed over {line}", file=sys.stderr)
    if not rows:
        sys.exit("make_arrow_of_time: the source gave no clips")
    print(f"{options.out / 'arrow.csv'}: " + " + ".join(f"{cuts[part]} {part}" for part in PARTS) + f" cuts of {options.frames} frames, each both ways")


if __name__ == "__main__":
    main()
