"""Long runs in one process: nothing grows."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time


def watched(words, folder, every=0.5):
    """Runs a command and samples its memory (KiB), descriptors and threads; also the lines that it printed."""
    lines = tempfile.TemporaryFile()
    process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=lines, stderr=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            samples.append((int(re.search(r"VmRSS:\s+(\d+)", status)[1]), len(os.listdir(f"/proc/{process.pid}/fd")),
                            int(re.search(r"Threads:\s+(\d+)", status)[1])))
        except (OSError, TypeError):
            pass
        time.sleep(every)
    assert process.returncode == 0, f"{words}: ended with {process.returncode}"
    lines.seek(0)
    return samples, sum(1 for _ in lines)


def soak(bench):
    """Nothing grows: the second half of a long run needs no more than the first."""
    folder = bench.folder("soak")
    lines = []
    config = json.loads((folder / "config.json").read_text())
    config["training"] = {"epochs": 2000, "batch_size": 4, "save_every_minutes": None}
    (folder / "config.json").write_text(json.dumps(config))
    clips = sorted((bench.work / "data").rglob("*.bin"))
    many = folder / "many"
    many.mkdir()
    for number in range(20000):
        # A clip that is named twice is predicted once.
        os.link(clips[number % len(clips)], many / f"{number:05}.bin")
    best = str(bench.work / "whole/runs/train/weights/best.safetensors")
    runs = [
        ("2,000 epochs", [bench.vidclass, "train", "--config", "config.json", "--quiet", "--no-cache"]),
        ("20,000 predictions", [bench.vidclass, "predict", "--format", "csv", "--checkpoint", best, "many/*.bin"]),
    ]
    for name, words in runs:
        samples, printed = watched(words, folder)
        assert words[1] != "predict" or printed >= 20001, f"{name}: {printed} lines"
        half = len(samples) // 2
        early, late = samples[half // 4:half], samples[half:]
        assert len(early) >= 3, f"{name}: over too soon to be watched"
        for place, what, slack in ((0, "KiB of memory", 4096), (1, "descriptors", 2), (2, "threads", 1)):
            before, after = max(s[place] for s in early), max(s[place] for s in late)
            assert after <= before + slack, f"{name}: {what} grew from {before} to {after}"
        peak = [max(s[place] for s in samples) for place in range(3)]
        lines.append(f"{name}: at most {peak[0] / 1024:.0f} MiB, {peak[1]} descriptors, {peak[2]} threads, no growth in the second half")
    return "; ".join(lines)
