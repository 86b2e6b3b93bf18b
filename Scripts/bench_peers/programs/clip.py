"""Reading clips: the frames after the 64-byte header that README describes."""

import pathlib
import struct

import numpy as np


def read(path: pathlib.Path) -> np.ndarray:
    """RGB values 0...255 of a clip of bytes as (frames, rows, columns, channels), the order that Keras takes."""
    data = path.read_bytes()
    shape = struct.unpack_from("<4I", data, 12)
    return np.frombuffer(data, np.uint8, offset=64).reshape(shape).transpose(0, 2, 3, 1)
