"""What is right: the shown frames of a video by PyAV, their times, and their pixels as `pack` stores them."""

import fractions
import subprocess
from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from maintain import clip

# The flags of vidclass's scaler.
FLAGS = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT


@dataclass
class Shown:
    """The frames that a player shows, in order. Times are exact, in seconds, from the first shown frame."""

    times: list[fractions.Fraction]
    # When the last frame ends.
    end: fractions.Fraction
    # A tick of the container: times are known no better.
    tick: fractions.Fraction
    pixels: np.ndarray

    def nearest_below(self, time) -> set[int]:
        """The frame that is shown at `time`; two where `time` is within two ticks of a change of frames: the frame's
        time, the last one's and its duration are rounded to ticks. A tick can be as long as a frame, as in AVI, where it is exact; so a tenth of a frame is the most."""
        found, slack = set(), min(2 * self.tick, self.end / len(self.times) / 10)
        for moment in (time - slack, time, time + slack):
            found.add(max((i for i, t in enumerate(self.times) if t <= moment), default=0))
        return found

    def uniform(self, count: int) -> list[set[int]]:
        """The frames that are shown in the middles of `count` equal parts of the duration; all frames if there are not more."""
        if len(self.times) <= count:
            return [{i} for i in range(len(self.times))]
        return [self.nearest_below(self.end * (2 * i + 1) / (2 * count)) for i in range(count)]


def shown(path, rows: int, columns: int, first_field: str = "") -> Shown:
    """Decodes all of `path`, on one thread. Each frame is made square-pixelled, upright, and scaled to cover rows x columns; the rest is cut off.

    Of interlaced frames the field that comes first is taken: "top" or "bottom". Where decoding ends with an error, the frames before it count.
    """
    frames, ticks, scaler = [], [], VideoReformatter()
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.thread_type, stream.codec_context.thread_count = "NONE", 1
        duration = fractions.Fraction(0)
        field = Field(stream, first_field == "top") if first_field else None
        try:
            for frame in container.decode(stream):
                base = frame.time_base or stream.time_base
                if frame.pts is not None:
                    ticks.append(frame.pts * base)
                else:
                    ticks.append(None)
                duration = (frame.duration or 0) * base
                if bool(frame.interlaced_frame) != bool(field):
                    raise ValueError(f"frame {len(frames)} is {'interlaced' if frame.interlaced_frame else 'progressive'}")
                frames.append(pixels(frame, stream, field or scaler, rows, columns))
        except av.FFmpegError:
            if not frames:
                raise
        rate = stream.average_rate or stream.guessed_rate or 25
        if any(tick is None for tick in ticks):
            # A raw stream without times: as many as its rate says.
            ticks = [i / fractions.Fraction(rate) for i in range(len(ticks))]
        times = [tick - ticks[0] for tick in ticks]
        last = times[-1] - times[-2] if len(times) > 1 else 1 / fractions.Fraction(rate)
        return Shown(times, times[-1] + (duration or last), stream.time_base or fractions.Fraction(0), np.stack(frames))


class Field:
    """The first field of interlaced frames, every other line, scaled as a picture of its own.

    ffmpeg's scale filter scales the fields apart (`interl`) into the lines of a picture of twice the height.
    """

    def __init__(self, stream, is_top: bool):
        self.stream, self.first, self.graph = stream, 0 if is_top else 1, None

    def reformat(self, frame, width: int, height: int) -> np.ndarray:
        if not self.graph:
            self.graph = av.filter.Graph()
            scale = f"{width}:{2 * height}:interl=1:flags=bilinear+accurate_rnd+full_chroma_int+bitexact"
            self.graph.link_nodes(self.graph.add_buffer(template=self.stream), self.graph.add("scale", scale), self.graph.add("format", "rgb24"),
                                  self.graph.add("buffersink")).configure()
        self.graph.push(unsited(frame))
        return self.graph.pull().to_ndarray()[self.first::2]


def pixels(frame, stream, scaler, rows: int, columns: int) -> np.ndarray:
    """(rows, columns, 3), as ffmpeg's filters scale (cover), crop (centre) and transpose would do it."""
    (a, b), (c, d) = matrix(frame)
    ratio = frame.sample_aspect_ratio if getattr(frame, "sample_aspect_ratio", None) else stream.sample_aspect_ratio
    wide, high = frame.width * fractions.Fraction(ratio or 1), fractions.Fraction(frame.height)
    across, down = (high, wide) if a == 0 else (wide, high)
    width, height = max(nearest(rows * across / down), columns), max(nearest(columns * down / across), rows)
    size = (height, width) if a == 0 else (width, height)
    if isinstance(scaler, Field):
        image = scaler.reformat(frame, *size)
    else:
        image = scaler.reformat(unsited(frame), *size, format="rgb24", interpolation=FLAGS, threads=1).to_ndarray()
    if a == 0:
        image = image.transpose(1, 0, 2)[:: 1 if b > 0 else -1, :: 1 if c > 0 else -1]
    else:
        image = image[:: 1 if d > 0 else -1, :: 1 if a > 0 else -1]
    top, left = (height - rows) // 2, (width - columns) // 2
    return image[top: top + rows, left: left + columns]


def unsited(frame):
    """The frame without its chroma location, which ffmpeg's scale filter ignores and the reformatter does not: H.264's decoder always sets one."""
    if not frame.format.name.startswith(("yuv4", "yuva4", "yuvj4", "p01", "nv")) or "444" in frame.format.name:
        return frame
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for source, target in zip(frame.planes, copy.planes):
        wide = min(source.line_size, target.line_size)
        lines = [np.frombuffer(plane, np.uint8)[: source.height * plane.line_size].reshape(source.height, -1) for plane in (source, target)]
        lines[1][:, :wide] = lines[0][:, :wide]
    copy.colorspace, copy.color_range = frame.colorspace, frame.color_range
    return copy


def matrix(frame) -> tuple[tuple[int, int], tuple[int, int]]:
    """The signs of the display matrix: right becomes (a, b), down becomes (c, d)."""
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            values = np.frombuffer(bytes(data), "<i4")
            return tuple(tuple(int(np.sign(v)) for v in values[i: i + 2]) for i in (0, 3))
    return (1, 0), (0, 1)


def nearest(value: fractions.Fraction) -> int:
    """As av_rescale rounds: halves away from zero."""
    return int(value + fractions.Fraction(1, 2))


class Refused(Exception):
    """vidclass did not take the file; the message is its error."""


def packed(vidclass, path, out, *words, rows: int, columns: int) -> np.ndarray:
    """The frames that `vidclass pack` stores: (frames, rows, columns, channels), uint8."""
    out.unlink(missing_ok=True)
    done = subprocess.run([str(vidclass), "pack", str(path), str(out), "--rows", str(rows), "--columns", str(columns), *map(str, words)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=300)
    if done.returncode:
        raise Refused(f"exit {done.returncode}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return clip.read(out, np.uint8)
