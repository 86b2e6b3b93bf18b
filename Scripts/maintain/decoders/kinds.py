"""Kinds of file: codecs, containers, pixel formats, sizes, orientations and rates; each decoded by PyAV and by `pack`, compared element by element."""

import fractions
import pathlib
import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import encoder, reference

ROWS, COLUMNS = 48, 64
# Levels of 255 that elements may differ by: the scaler of PyAV's FFmpeg is newer and rounds some of its intermediate results differently.
LIMIT = 2


@dataclass(frozen=True)
class Kind:
    """A file and the ffmpeg options that make it. `change` edits the file afterwards."""

    name: str
    options: str
    size: str = "128x96"
    rate: str = "25"
    count: int = 24
    filters: str = ""
    change: Callable[[bytes], bytes] | None = None
    # Of interlaced video: the field that comes first.
    first_field: str = ""
    # Whether elements may differ more, and why.
    limit: int = LIMIT
    reason: str = ""


def x264(words: str = "", pixels: str = "yuv420p") -> str:
    return f"-c:v libx264 -preset ultrafast -pix_fmt {pixels} {words}"


def turned(matrix: tuple[int, int, int, int]) -> Callable[[bytes], bytes]:
    """Writes the signs a, b, c, d into the video track's display matrix."""

    def change(data: bytes) -> bytes:
        data = bytearray(data)
        at = data.index(b"tkhd") + 4 + 40
        a, b, c, d = (value << 16 for value in matrix)
        struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
        return bytes(data)

    return change


ROTATED = "scaled, then turned: chroma is interpolated across other borders"
# No field has ROWS lines: where the height stays the same, FFmpeg 5.1 and 8 interpolate chroma lines in different ways.
KINDS = [
    Kind("h264-main.mp4", "-c:v libx264 -profile:v main -pix_fmt yuv420p -g 12 -bf 2"),
    Kind("h264-high.mkv", "-c:v libx264 -profile:v high -pix_fmt yuv420p -g 250 -bf 3"),
    Kind("h264-10bit.mkv", x264(pixels="yuv420p10le")),
    Kind("h264-422.mov", x264(pixels="yuv422p")),
    Kind("h264-444.mp4", x264(pixels="yuv444p")),
    Kind("h264-rgb.mkv", "-c:v libx264rgb -preset ultrafast -pix_fmt rgb24"),
    Kind("h264-gray.mp4", x264(pixels="gray")),
    Kind("h264-full-range.mp4", x264(pixels="yuvj420p")),
    Kind("h264-bt709.mp4", x264("-colorspace bt709 -color_primaries bt709 -color_trc bt709")),
    Kind("h264-intra.avi", x264("-g 1")),
    Kind("h264-open-gop.ts", "-c:v libx264 -pix_fmt yuv420p -x264-params open-gop=1:keyint=8:bframes=3"),
    Kind("h264-pyramid.mp4", "-c:v libx264 -pix_fmt yuv420p -x264-params b-pyramid=normal:bframes=7:b-adapt=0"),
    Kind("h264-lossless.mkv", x264("-qp 0")),
    Kind("h264-interlaced.ts", "-c:v libx264 -pix_fmt yuv420p -flags +ilme+ildct -x264-params tff=1", size="160x120", filters="interlace=scan=tff", count=48,
         first_field="bottom"),
    Kind("h264-fragmented.mp4", x264("-g 8 -movflags frag_keyframe+empty_moov")),
    Kind("h264.flv", x264("-bf 2")),
    Kind("h264.f4v", x264("-bf 2 -f mp4")),
    Kind("h264.m2ts", x264("-bf 2")),
    Kind("h264.3gp", x264()),
    Kind("h264.m4v", x264("-f mp4")),
    Kind("h264.nut", x264()),
    Kind("h264.h264", x264("-bf 2")),
    Kind("hevc.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p -tag:v hvc1"),
    Kind("hevc-10bit.mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p10le"),
    Kind("hevc.hevc", "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=2 -pix_fmt yuv420p"),
    Kind("vp8.webm", "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 12 -cpu-used 8 -b:v 1M"),
    Kind("vp8-alpha.webm", "-c:v libvpx -auto-alt-ref 0 -pix_fmt yuva420p -cpu-used 8 -b:v 1M"),
    Kind("vp8.ivf", "-c:v libvpx -cpu-used 8 -b:v 1M"),
    Kind("vp9.webm", "-c:v libvpx-vp9 -auto-alt-ref 1 -lag-in-frames 12 -cpu-used 8 -b:v 1M"),
    Kind("vp9-10bit.webm", "-c:v libvpx-vp9 -profile:v 2 -pix_fmt yuv420p10le -cpu-used 8 -b:v 1M"),
    Kind("vp9-444.webm", "-c:v libvpx-vp9 -profile:v 1 -pix_fmt yuv444p -cpu-used 8 -b:v 1M"),
    Kind("vp9.mp4", "-c:v libvpx-vp9 -cpu-used 8 -b:v 1M"),
    Kind("av1.webm", "-c:v libaom-av1 -cpu-used 8 -crf 30 -b:v 0"),
    Kind("av1.mp4", "-c:v libsvtav1 -preset 12"),
    Kind("av1.ivf", "-c:v libaom-av1 -cpu-used 8 -crf 30 -b:v 0"),
    Kind("mpeg1.mpg", "-c:v mpeg1video -q:v 3 -bf 2"),
    Kind("mpeg2.mpg", "-c:v mpeg2video -q:v 3 -bf 2"),
    Kind("mpeg2.vob", "-c:v mpeg2video -q:v 3 -bf 2"),
    Kind("mpeg2.m2v", "-c:v mpeg2video -q:v 3 -bf 2"),
    Kind("mpeg2.mxf", "-c:v mpeg2video -q:v 3", size="256x128"),
    Kind("mpeg2-422.ts", "-c:v mpeg2video -q:v 3 -pix_fmt yuv422p"),
    Kind("mpeg2-interlaced.ts", "-c:v mpeg2video -q:v 3 -flags +ilme+ildct -top 1", size="160x120", filters="interlace=scan=tff", count=48, first_field="top"),
    Kind("mpeg4.avi", "-c:v mpeg4 -q:v 3 -bf 2"),
    Kind("mpeg4.mov", "-c:v mpeg4 -q:v 3"),
    Kind("mpeg4.divx", "-c:v mpeg4 -q:v 3 -f avi"),
    Kind("h263.3gp", "-c:v h263 -q:v 3", rate="30000/1001"),
    Kind("mjpeg.avi", "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p"),
    Kind("mjpeg-422.mkv", "-c:v mjpeg -q:v 3 -pix_fmt yuvj422p"),
    Kind("mjpeg-444.mov", "-c:v mjpeg -q:v 3 -pix_fmt yuvj444p"),
    Kind("mjpeg.mjpeg", "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p"),
    Kind("prores.mov", "-c:v prores_ks -profile:v 2"),
    Kind("prores-4444.mov", "-c:v prores_ks -profile:v 4 -pix_fmt yuva444p10le", filters="format=rgba,colorchannelmixer=aa=0.5"),
    Kind("dnxhr.mov", "-c:v dnxhd -profile:v dnxhr_hq -pix_fmt yuv422p", size="256x128", count=6),
    Kind("dnxhd.mxf", "-c:v dnxhd -b:v 36M -pix_fmt yuv422p", size="1920x1080", count=3),
    Kind("dv.dv", "-c:v dvvideo -pix_fmt yuv420p", size="720x576", count=5, filters="setsar=16/15", first_field="bottom"),
    Kind("dv.avi", "-c:v dvvideo -pix_fmt yuv411p", size="720x480", rate="30000/1001", count=5, first_field="bottom"),
    Kind("ffv1.mkv", "-c:v ffv1 -pix_fmt yuv420p"),
    Kind("ffv1-16.mkv", "-c:v ffv1 -pix_fmt yuv420p16le"),
    Kind("ffv1-gray.avi", "-c:v ffv1 -pix_fmt gray"),
    Kind("ffv1-gray16.mkv", "-c:v ffv1 -pix_fmt gray16le"),
    Kind("ffv1-alpha.mkv", "-c:v ffv1 -pix_fmt bgra", filters="format=rgba,colorchannelmixer=aa=0.5"),
    Kind("huffyuv.avi", "-c:v huffyuv -pix_fmt yuv422p"),
    Kind("huffyuv-rgb.avi", "-c:v huffyuv -pix_fmt rgb24"),
    Kind("utvideo.avi", "-c:v utvideo -pix_fmt yuv420p"),
    Kind("raw-420.avi", "-c:v rawvideo -pix_fmt yuv420p"),
    Kind("raw-422.mov", "-c:v rawvideo -pix_fmt uyvy422"),
    Kind("raw-rgb24.avi", "-c:v rawvideo -pix_fmt bgr24"),
    Kind("raw-rgba.nut", "-c:v rawvideo -pix_fmt rgba"),
    Kind("raw-gray.mkv", "-c:v rawvideo -pix_fmt gray"),
    Kind("raw-pal8.nut", "-c:v rawvideo -pix_fmt pal8", filters="format=rgb24,split[a][b];[a]palettegen[p];[b][p]paletteuse"),
    Kind("png.mov", "-c:v png -pix_fmt rgb24"),
    Kind("jpeg2000.mov", "-c:v jpeg2000 -pix_fmt yuv420p", count=6),
    Kind("gif.gif", "-c:v gif", filters="split[a][b];[a]palettegen[p];[b][p]paletteuse"),
    Kind("theora.ogv", "-c:v libtheora -q:v 7"),
    Kind("wmv2.wmv", "-c:v wmv2 -q:v 3"),
    Kind("wmv2.asf", "-c:v wmv2 -q:v 3"),
    Kind("msmpeg4v3.avi", "-c:v msmpeg4 -q:v 3"),
    Kind("msmpeg4v2.avi", "-c:v msmpeg4v2 -q:v 3"),
    Kind("flv1.flv", "-c:v flv -q:v 3"),
    Kind("y4m.y4m", "-c:v wrapped_avframe -pix_fmt yuv420p"),
    Kind("qtrle-alpha.mov", "-c:v qtrle -pix_fmt argb", filters="format=rgba,colorchannelmixer=aa=0.5"),
    Kind("odd-rgb.avi", "-c:v huffyuv -pix_fmt rgb24", size="131x97"),
    Kind("odd-ffv1.mkv", "-c:v ffv1 -pix_fmt yuv420p", size="131x97"),
    Kind("odd-vp9.webm", "-c:v libvpx-vp9 -cpu-used 8 -b:v 1M", size="131x97"),
    Kind("odd-444.mp4", x264(pixels="yuv444p"), size="131x97"),
    Kind("odd-mjpeg.avi", "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p", size="131x97"),
    Kind("tall.mp4", x264(), size="96x128"),
    Kind("small.mp4", x264(), size="32x18"),
    Kind("rotated-90.mp4", x264(), change=turned((0, 1, -1, 0)), reason=ROTATED),
    Kind("rotated-180.mp4", x264(), change=turned((-1, 0, 0, -1)), reason=ROTATED),
    Kind("rotated-270.mov", x264(), change=turned((0, -1, 1, 0)), reason=ROTATED),
    Kind("mirrored.mp4", x264(), change=turned((-1, 0, 0, 1)), reason=ROTATED),
    Kind("mirrored-90.mp4", x264(), change=turned((0, 1, 1, 0)), reason=ROTATED),
    Kind("sar-64-45.mp4", x264(), size="720x576", count=6, filters="setsar=64/45"),
    Kind("sar-64-45.mpg", "-c:v mpeg2video -q:v 3", size="720x576", count=6, filters="setsar=64/45"),
    Kind("sar-16-11.mkv", x264(), size="352x288", count=6, filters="setsar=16/11"),
    Kind("29.97.mp4", x264(), rate="30000/1001", count=40),
    Kind("29.97.mkv", x264(), rate="30000/1001", count=40),
    Kind("29.97-ties.mkv", x264(), rate="30000/1001", count=32),
    Kind("23.976.ts", x264(), rate="24000/1001", count=40),
    Kind("one-frame.mp4", x264(), count=1),
    Kind("one-frame.mkv", "-c:v ffv1 -pix_fmt yuv420p", count=1),
    Kind("one-frame-per-second.avi", "-c:v mpeg4 -q:v 3", rate="1", count=20),
]


def make(kind: Kind, folder: pathlib.Path) -> pathlib.Path:
    path = folder / kind.name
    rate = fractions.Fraction(kind.rate)
    # A palette is made of all frames, so the source must end.
    source = f"testsrc2=size={kind.size}:rate={kind.rate}:duration={float((kind.count + 0.5) / rate)}" + (f",{kind.filters}" if kind.filters else "")
    encoder.ffmpeg("-f", "lavfi", "-i", source, "-frames:v", kind.count // (2 if "interlace=" in kind.filters else 1), "-threads", "1", *kind.options.split(), path)
    if kind.change:
        path.write_bytes(kind.change(path.read_bytes()))
    return path


def compare(kind: Kind, path: pathlib.Path, vidclass) -> tuple[bool, str]:
    """Whether `pack` stores the frames that PyAV shows, all and eight of them, and what differs."""
    right = reference.shown(path, ROWS, COLUMNS, kind.first_field)
    out = path.with_name("packed.bin")
    every = reference.packed(vidclass, path, out, "--frames", "0", rows=ROWS, columns=COLUMNS)
    count = f"{len(every)} of {len(right.pixels)} frames"
    if len(every) != len(right.pixels):
        return False, count
    difference = np.abs(every.astype(int) - right.pixels)
    # Not the mean alone: one wrong frame must not hide behind the others.
    worst, share = int(difference.max()), float((difference > 0).mean())
    text = f"{count}, largest difference {worst}" + (f" ({share:.1%} of the elements differ)" if worst else "")
    if not worst <= kind.limit:
        wrong = [i for i, frame in enumerate(difference) if frame.max() > kind.limit]
        return False, f"{text}, in {len(wrong)} frames, first {wrong[0]}"
    eight = reference.packed(vidclass, path, out, "--frames", "8", rows=ROWS, columns=COLUMNS)
    allowed = right.uniform(8)
    if len(eight) != len(allowed):
        return False, f"{text}; --frames 8 stores {len(eight)} of {len(allowed)}"
    for place, (frame, numbers) in enumerate(zip(eight, allowed)):
        if not any(np.array_equal(frame, every[number]) for number in numbers):
            found = [i for i, other in enumerate(every) if np.array_equal(frame, other)]
            return False, f"{text}; --frames 8: the frame at place {place} is {found}, expected {sorted(numbers)}"
    return True, text


def run(vidclass, folder: pathlib.Path, names: list[str]) -> bool:
    """Prints a table; returns whether all kinds agree."""
    results = []
    for kind in [kind for kind in KINDS if not names or any(name in kind.name for name in names)]:
        try:
            path = make(kind, folder)
        except encoder.Unavailable as error:
            print(f"{'absent':8}{kind.name:28}{error}", flush=True)
            continue
        try:
            is_right, text = compare(kind, path, vidclass)
        except (reference.Refused, reference.av.FFmpegError) as error:
            is_right, text = False, str(error)
        print(f"{'equal' if is_right else 'DIFFERS':8}{kind.name:28}{text}{f' ({kind.reason})' if is_right and kind.reason else ''}", flush=True)
        results.append(is_right)
    print(f"\n{sum(results)} of {len(results)} kinds agree")
    return bool(results) and all(results)
