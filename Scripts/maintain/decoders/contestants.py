"""Decoders that are raced against vidclass, each as its documentation says is fastest. As a program: measures one of them.

    python3 -m maintain.decoders.contestants NAME VIDEO COUNT THREADS

COUNT frames in the middles of equal parts of the video (0 = all), each scaled to cover 224 x 224 with its centre cut out, RGB bytes.
Prints the seconds from the file's name to the frames in memory, without the interpreter's start and imports, and their number.
"""

import os
import subprocess
import sys
import time

SIDE = 224
# 1280 x 720 scaled to cover the side.
WIDE = 398


def middles(count: int, frames: int) -> list[int]:
    return [(2 * i + 1) * frames // (2 * count) for i in range(count)] if 0 < count < frames else list(range(frames))


def crop(frame):
    left = (WIDE - SIDE) // 2
    return frame[:, left: left + SIDE]


def pyav(path: str, count: int, threads: int):
    import av
    import numpy as np

    def decode():
        found = []
        with av.open(path) as container:
            stream = container.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
            picture = lambda frame: crop(frame.reformat(WIDE, SIDE, "rgb24", interpolation="BILINEAR").to_ndarray())
            if not count:
                return np.stack([picture(frame) for frame in container.decode(stream)])
            seconds = float(stream.duration * stream.time_base)
            for i in range(count):
                wanted = (2 * i + 1) * seconds / (2 * count)
                container.seek(int(wanted / stream.time_base), stream=stream)
                found.append(next(picture(frame) for frame in container.decode(stream) if frame.time + 1 / float(stream.average_rate) > wanted))
        return np.stack(found)

    return decode


def torchcodec(path: str, count: int, threads: int):
    # Its transforms need no torchvision, and look for one.
    sys.modules["torchvision"] = None
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import CenterCrop, Resize

    def decode():
        decoder = VideoDecoder(path, num_ffmpeg_threads=threads, seek_mode="approximate", dimension_order="NHWC",
                               transforms=[Resize((SIDE, WIDE)), CenterCrop((SIDE, SIDE))])
        return decoder.get_frames_at(middles(count, decoder.metadata.num_frames)).data

    return decode


def decord(path: str, count: int, threads: int):
    import decord as library

    def decode():
        reader = library.VideoReader(path, ctx=library.cpu(0), width=WIDE, height=SIDE, num_threads=threads)
        return reader.get_batch(middles(count, len(reader))).asnumpy()[:, :, (WIDE - SIDE) // 2: (WIDE + SIDE) // 2]

    return decode


def opencv(path: str, count: int, threads: int):
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"threads;{threads}"
    import cv2

    cv2.setNumThreads(threads)

    def decode():
        capture, found = cv2.VideoCapture(path), []
        for number in middles(count, int(capture.get(cv2.CAP_PROP_FRAME_COUNT))):
            if count:
                capture.set(cv2.CAP_PROP_POS_FRAMES, number)
            is_read, frame = capture.read()
            if not is_read:
                break
            found.append(cv2.cvtColor(crop(cv2.resize(frame, (WIDE, SIDE))), cv2.COLOR_BGR2RGB))
        return found

    return decode


def ffmpeg(path: str, count: int, threads: int):
    filters = f"scale={WIDE}:{SIDE}:flags=bilinear,crop={SIDE}:{SIDE}"

    def run(*words) -> bytes:
        command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", str(threads), *words, "-vf", filters, "-fps_mode", "passthrough",
                   "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def decode():
        if not count:
            data = run("-i", path)
        else:
            told = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path], capture_output=True, check=True)
            seconds = float(told.stdout)
            data = b"".join(run("-ss", str((2 * i + 1) * seconds / (2 * count)), "-i", path, "-frames:v", "1") for i in range(count))
        return [data[i: i + SIDE * SIDE * 3] for i in range(0, len(data), SIDE * SIDE * 3)]

    return decode


DECODERS = {decoder.__name__: decoder for decoder in (pyav, torchcodec, decord, opencv, ffmpeg)}


def main() -> None:
    name, path, count, threads = sys.argv[1:]
    decode = DECODERS[name](path, int(count), int(threads))
    start = time.perf_counter()
    frames = decode()
    print(time.perf_counter() - start, len(frames))


if __name__ == "__main__":
    main()
