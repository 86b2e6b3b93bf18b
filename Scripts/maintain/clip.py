"""Reading clip files (`.bin`) and turning them into the network's input, from the formats' description alone."""

import struct
import sys
import zlib

import numpy as np

MAGIC = bytes.fromhex("89 56 43 4C 50 0D 0A 1A")


def read(path, dtype=np.float64):
    """The clip as (frames, rows, columns, channels), pixel values 0...255."""
    with open(path, "rb") as file:
        data = file.read()
    magic, version, kind, zero, *shape, _, size, crc = struct.unpack_from("<8sHBB4IfQI", data)
    payload = data[64:]
    if magic != MAGIC or version != 1 or kind not in (0, 1) or zero != 0:
        sys.exit(f"error: {path}: expected a clip file of version 1")
    if struct.unpack_from("<I", data, 60)[0] != zlib.crc32(data[:60]) or crc != zlib.crc32(payload):
        sys.exit(f"error: {path}: wrong CRC")
    pixels = np.frombuffer(payload, "<u1" if kind == 0 else "<f4").reshape(shape)
    assert len(payload) == size
    return pixels.astype(dtype, copy=False).transpose(0, 2, 3, 1)


def select(clip, frames, short_clips):
    """`frames` frames of the clip and a mask of ones for real frames: the middle frame of each of `frames` equal parts,
    or all frames of a short clip, and then what `short_clips` says."""
    count = len(clip)
    if count >= frames:
        indices = [(2 * i + 1) * count // (2 * frames) for i in range(frames)]
    else:
        fill = {"loop": lambda i: i % count, "pad_last": lambda i: min(i, count - 1), "mask": lambda i: min(i, count - 1)}
        if short_clips not in fill:
            sys.exit(f"error: the clip has {count} frames, the model takes {frames}")
        indices = [fill[short_clips](i) for i in range(frames)]
    mask = np.array([i < count or short_clips != "mask" for i in range(frames)], dtype=np.float64)
    return clip[indices], mask


def preprocess(clip, name):
    """Preprocesses pixel values 0...255 as `data.preprocessing` says. Frames without three channels have no colours: they
    keep their order and take the mean of the three colours' values."""
    if name in ("caffe", "torch"):
        mean, deviation = {
            "caffe": ([103.939, 116.779, 123.68], [1.0, 1.0, 1.0]),
            "torch": ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
        }[name]
        if clip.shape[-1] != 3:
            mean, deviation = np.mean(mean), np.mean(deviation)
        elif name == "caffe":
            clip = clip[..., ::-1]
        return (clip - np.array(mean)) / np.array(deviation)
    return {"unit": clip / 255, "symmetric": clip / 127.5 - 1, "none": clip}[name]
