"""Checks that TensorBoard shows what a run's own files hold.

    PYTHONPATH=Scripts python3 -m maintain.tensorboard RUN [--no-server]

Reads the event files with TensorBoard's own EventAccumulator and, over HTTP on the loopback, with a real `tensorboard` server:
scalars must be those of results.csv to the last bit of a float32, histograms must count every weight of
weights/last.safetensors, the confusion matrix must be a picture, the text must be config.json. Prints a line per check; exits
with 1 at a difference.
"""

import csv
import json
import math
import pathlib
import socket
import struct
import subprocess
import sys
import time
import urllib.parse
import urllib.request

from . import environment

COLUMNS = ["train/loss", "train/categorical_accuracy", "val/loss", "val/categorical_accuracy", "lr"]
FAILURES = []


def check(what: str, good: bool, detail: str = ""):
    print(f"{'ok  ' if good else 'FAIL'} {what}{': ' + detail if detail else ''}", flush=True)
    if not good:
        FAILURES.append(what)


def expected_scalars(run: pathlib.Path) -> dict[str, list[tuple[int, float]]]:
    import numpy

    with open(run / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        column: [(int(row["epoch"]), float(numpy.float32(float(row[column])))) for row in rows]
        for column in COLUMNS if rows and rows[0][column] != ""
    }


def parameters(run: pathlib.Path) -> dict[str, int]:
    """The weights of the last state and how many numbers each holds. A safetensors header is JSON after its length."""
    with open(run / "weights" / "last.safetensors", "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {
        name: math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__" and not name.startswith(("optimizer/", "familiarity/"))
    }


def is_png(data: bytes) -> bool:
    try:
        import io

        from PIL import Image

        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image.format == "PNG" and min(image.size) > 100
    except ImportError:
        return data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB\x60\x82")


def check_accumulator(run: pathlib.Path, scalars: dict, sizes: dict):
    from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
    from tensorboard.util import tensor_util

    plain = event_accumulator.EventAccumulator(str(run), size_guidance={event_accumulator.SCALARS: 0})
    plain.Reload()
    for tag, values in scalars.items():
        check(f"EventAccumulator.Scalars {tag}", [(e.step, e.value) for e in plain.Scalars(tag)] == values, f"{len(values)} epochs")
    full = plugin_event_accumulator.EventAccumulator(str(run), size_guidance={plugin_event_accumulator.TENSORS: 0})
    full.Reload()
    tags = full.Tags()["tensors"]
    for name, size in sizes.items():
        tag = f"weights/{name}"
        counts = {tensor_util.make_ndarray(e.tensor_proto)[:, 2].sum() for e in full.Tensors(tag)} if tag in tags else set()
        check(f"histogram {tag}", counts == {size}, f"{size} values, {len(full.Tensors(tag)) if tag in tags else 0} times")
    gradients = [tag for tag in tags if tag.startswith("gradients/")]
    check("histograms of gradients", all(
        tensor_util.make_ndarray(e.tensor_proto)[:, 2].sum() == sizes[tag.removeprefix("gradients/")]
        for tag in gradients for e in full.Tensors(tag)) and bool(gradients), f"{len(gradients)} parameters")
    text = tensor_util.make_ndarray(full.Tensors("config")[-1].tensor_proto).item().decode()
    config = (run / "config.json").read_text()
    check("text config is config.json", text.startswith("```json\n") and json.loads(text.strip("`")[5:]) == json.loads(config))
    command = tensor_util.make_ndarray(full.Tensors("command")[-1].tensor_proto).item().decode()
    check("text command", "train" in command, command.strip("`\n"))
    if "val/loss" in scalars:
        for event in full.Tensors("val/confusion_matrix"):
            width, height, png = tensor_util.make_ndarray(event.tensor_proto)
            check(f"picture of epoch {event.step}", is_png(png), f"{int(width)} x {int(height)}, {len(png)} bytes")


def check_server(run: pathlib.Path, scalars: dict, sizes: dict):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(run), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def get(path: str, **query) -> bytes:
        words = urllib.parse.urlencode(query)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/{path}{'?' + words if words else ''}", timeout=20) as answer:
            return answer.read()

    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                if json.loads(get("runs")):
                    break
            except OSError:
                pass
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                check("tensorboard server", False, server.communicate()[1][-400:])
                return
            time.sleep(0.5)
        name = json.loads(get("runs"))[0]
        time.sleep(2)  # the server is still reading the last file
        for tag, values in scalars.items():
            points = json.loads(get("plugin/scalars/scalars", run=name, tag=tag))
            # The server keeps a sample of a thousand.
            known = dict(values)
            good = all(known.get(step) == value for _, step, value in points) and len(points) == min(len(values), 1000)
            check(f"server, scalars {tag}", good, f"{len(points)} points")
        histograms = json.loads(get("plugin/histograms/tags"))[name]
        for parameter, size in sizes.items():
            tag = f"weights/{parameter}"
            points = json.loads(get("plugin/histograms/histograms", run=name, tag=tag)) if tag in histograms else []
            check(f"server, histogram {tag}", bool(points) and all(round(sum(b[2] for b in p[2])) == size for p in points))
        texts = json.loads(get("plugin/text/text", run=name, tag="config"))
        check("server, text config", "&quot;seed&quot;" in texts[-1]["text"] or '"seed"' in texts[-1]["text"])
        if "val/loss" in scalars:
            images = json.loads(get("plugin/images/images", run=name, tag="val/confusion_matrix", sample=0))
            png = get("plugin/images/individualImage?" + images[-1]["query"])
            check("server, picture", is_png(png), f"{len(images)} epochs")
    finally:
        server.terminate()
        server.communicate()


def main():
    parser = environment.parser(__doc__)
    parser.add_argument("run", type=pathlib.Path, help="a run's folder, such as runs/train")
    parser.add_argument("--no-server", action="store_true", help="read the files only")
    options = parser.parse_args()
    if not list(options.run.glob("events.out.tfevents.*")):
        sys.exit(f"error: {options.run} holds no event files")
    environment.enter("tensorboard", "numpy")
    scalars, sizes = expected_scalars(options.run), parameters(options.run)
    check_accumulator(options.run, scalars, sizes)
    if not options.no_server:
        check_server(options.run, scalars, sizes)
    print(f"{len(FAILURES)} differences")
    sys.exit(1 if FAILURES else 0)


if __name__ == "__main__":
    main()
