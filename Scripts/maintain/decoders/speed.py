"""Races vidclass against other decoders: 16 frames of long videos, and all frames of a short one."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

from maintain import clip

from . import contestants, encoder

RATE = 25
# Seconds of a video: how many frames are wanted; 0 = all.
TASKS = {10: 0, 300: 16, 3600: 16}


def make(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    """Videos of 1280 x 720, H.264 as phones and web sites store it. The long ones repeat a minute without encoding it anew."""
    paths = {seconds: folder / (f"speed-{seconds}.mp4" if seconds >= 60 else "part-0.mp4") for seconds in TASKS}
    minute = folder / "speed-60.mp4"
    words = "-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -g 250 -bf 3".split()
    if not minute.exists():
        # In parts, each of which is made within the encoder's time.
        for part in range(6):
            source = f"testsrc2=size=1280x720:rate={RATE}:duration={10 * part + 10},noise=alls=6:allf=t:all_seed={part + 1},trim=start={10 * part},setpts=PTS-STARTPTS"
            encoder.ffmpeg("-f", "lavfi", "-i", source, "-frames:v", 10 * RATE, *words, folder / f"part-{part}.mp4")
        (folder / "parts.txt").write_text("".join(f"file part-{part}.mp4\n" for part in range(6)))
        encoder.ffmpeg("-f", "concat", "-i", folder / "parts.txt", "-c", "copy", minute)
    for seconds, path in paths.items():
        if not path.exists():
            encoder.ffmpeg("-stream_loop", seconds // 60 - 1, "-i", minute, "-t", seconds, "-c", "copy", path)
    return paths


def measure(name: str, vidclass, path: pathlib.Path, count: int, processors: list[int]) -> tuple[float, int]:
    """The seconds and the number of frames of one run on these processors."""
    bound = lambda: os.sched_setaffinity(0, processors)
    if name == "vidclass":
        out = path.with_name("packed.bin")
        words = [vidclass, "pack", path, out, "--frames", count, "--rows", contestants.SIDE, "--columns", contestants.SIDE]
        out.unlink(missing_ok=True)
        start = time.perf_counter()
        subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=600, preexec_fn=bound)
        return time.perf_counter() - start, len(clip.read(out, "u1"))
    words = [sys.executable, "-m", "maintain.decoders.contestants", name, path, count, len(processors)]
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=600, preexec_fn=bound)
    seconds, frames = done.stdout.split()
    return float(seconds), int(frames)


def run(vidclass, folder: pathlib.Path, rounds: int, names: list[str]) -> bool:
    """Prints medians, and the time of each decoder as a multiple of vidclass's; returns whether vidclass is the fastest everywhere.

    vidclass's time is that of the whole program, from its start to the written file; the others' begins when they are loaded.
    """
    paths = make(folder)
    available = sorted(os.sched_getaffinity(0))
    is_fastest = True
    others = [name for name in contestants.DECODERS if not names or any(word in name for word in names)]
    for processors in [available[:1], available[:2]][: len(available)]:
        for seconds, count in TASKS.items():
            times: dict[str, list[float]] = {name: [] for name in ["vidclass", *others]}
            wanted = count or seconds * RATE
            for _ in range(rounds):
                for name in list(times):
                    try:
                        took, frames = measure(name, vidclass, paths[seconds], count, processors)
                    except (subprocess.SubprocessError, ValueError) as error:
                        reason = (getattr(error, "stderr", None) or str(error).encode())
                        reason = reason if isinstance(reason, str) else reason.decode(errors="replace")
                        print(f"{name}: {reason.strip().splitlines()[-1]}", flush=True)
                        del times[name]
                        continue
                    if frames != wanted:
                        print(f"{name} gave {frames} of {wanted} frames", flush=True)
                    times[name].append(took)
            medians = {name: statistics.median(taken) for name, taken in times.items()}
            print(f"\n{count or 'all'} frames of {seconds} s on {len(processors)} processor{'s' * (len(processors) > 1)}")
            for name, median in sorted(medians.items(), key=lambda item: item[1]):
                spread = f"{min(times[name]):.2f} to {max(times[name]):.2f}"
                print(f"  {name:12}{median:8.2f} s  ({spread})  {median / medians['vidclass']:6.2f} x", flush=True)
            is_fastest = is_fastest and min(medians, key=medians.get) == "vidclass"
    return is_fastest
