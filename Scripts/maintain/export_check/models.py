"""Models to export: checkpoints with random or real weights, clips, and the scores that vidclass gives these."""

import copy
import dataclasses
import json
import os
import pathlib
from dataclasses import dataclass

import numpy as np

from maintain import process
from maintain.check_random import cases, comparison

CLIPS = 3


@dataclass
class Case:
    name: str
    # Of check_random, with the configuration and the clips to train with.
    drawn: cases.Case
    # Changes of the tensors by name; None: as they are.
    weights: object


def random_case(seed):
    drawn = cases.draw(seed)
    # What a model is given must be what it gets.
    drawn.config["data"]["sampling"] = {"type": "uniform"}
    drawn.config["evaluation"] = {"clips": 1}
    return Case(f"seed {seed}", drawn, lambda parameters: cases.drawn_weights(drawn, parameters))


def network_case(name, file=None):
    """A network with a name over two frames, with an LSTM and a dense layer; random weights unless they are in `file`."""
    seed = cases.draw(1)
    drawn = copy.deepcopy(seed)
    side = 224 if file else 96
    drawn.config["model"] = {
        "input": {"frames": 2, "channels": 3, "rows": side, "columns": side},
        "cnn": {"architecture": name, "weights": file and os.path.abspath(file), "trainable": False, "pooling": "average"},
        "recurrent": [{"type": "batch_normalization"}, {"type": "lstm", "units": 32, "recurrent_activation": "hard_sigmoid"}],
        "hidden": [{"type": "dense", "units": 32, "activation": "relu"}]}
    drawn.config["data"] |= {"sampling": {"type": "uniform"}, "preprocessing": "caffe" if file else "torch", "short_clips": "mask"}
    drawn.config["evaluation"], drawn.config["training"]["batch_size"] = {"clips": 1}, 1
    random = np.random.default_rng(7)
    drawn.clips = [cases.Clip(f"clips/c{i}/{j}.bin", i, random.integers(0, 256, (2, side, side, 3)).astype(float), 25.0) for i in range(3) for j in range(2)]
    return Case(name, drawn, lambda parameters: {key: near_normal(key, values, random) for key, values in parameters.items()
                                                 if not (file and key.startswith("cnn/"))})


def near_normal(name, values, random):
    """Values for which a deep network's activations neither vanish nor grow."""
    if name.endswith(("gamma", "moving_variance")):
        return random.uniform(0.8, 1.2, values.shape).astype(np.float32)
    if name.endswith("kernel"):
        inputs = np.prod(values.shape[:2]) if values.ndim == 3 else np.prod(values.shape[:-1])
        limit = np.sqrt((6 if name.startswith("cnn/") else 3) / inputs)
        return random.uniform(-limit, limit, values.shape).astype(np.float32)
    return random.uniform(-0.1, 0.1, values.shape).astype(np.float32)


class Model:
    """A checkpoint in a folder, with `frames` as a clip file has them, (clips, T, channels, rows, columns) or vectors (clips, T, F), `length`,
    the number of frames of each that count, and the scores that vidclass gives them."""

    def __init__(self, case, folder, program):
        self.case, self.folder, self.program, self.config = case, pathlib.Path(folder), program, case.drawn.config
        cases.write(case.drawn, self.folder)
        (self.folder / "config.json").write_text(json.dumps(self.config))
        # A training that has no time left keeps the weights that it would begin with.
        self.vidclass("train", "--config", "config.json", "--no-cache", "--quiet", "--set", "training.max_minutes=1e-9")
        self.checkpoint = self.folder / "runs" / "run" / "weights" / "last.safetensors"
        comparison.rewrite(self.checkpoint, case.weights)
        self.is_masked = self.config["data"]["short_clips"] == "mask"
        self.draw_clips()
        self.scores = self.predict()

    def longer(self):
        """The same model with more frames and clips of that length; None where the number of frames is part of the weights."""
        if self.config["model"].get("pooling_over_time") == "flatten":
            return None
        case = Case(self.case.name, copy.deepcopy(self.case.drawn), None)
        case.drawn.config["model"]["input"]["frames"] += 3
        case.drawn.clips = [dataclasses.replace(clip, pixels=np.concatenate([clip.pixels] * 4)) for clip in case.drawn.clips]
        own = comparison.parameters_of(self.checkpoint)
        case.weights = lambda parameters: own
        folder = self.folder / "longer"
        folder.mkdir()
        return Model(case, folder, self.program)

    def vidclass(self, *words):
        return process.run([self.program, *words], dict(os.environ), self.folder)

    def draw_clips(self):
        size, random = self.config["model"]["input"], np.random.default_rng([self.case.drawn.seed, 2])
        steps = size["frames"]
        if "features" in size:
            statistics = comparison.parameters_of(self.checkpoint)
            mean, deviation = statistics.get("input/mean", 0), statistics.get("input/standard_deviation", 1)
            frames = random.normal(0, 1, (CLIPS, steps, size["features"])) * deviation + mean
        else:
            frames = random.integers(0, 256, (CLIPS, steps, size["channels"], size["rows"], size["columns"]))
        takes_bytes = "features" not in size and self.config["data"]["preprocessing"] != "none"
        self.frames = frames.astype(np.uint8 if takes_bytes else np.float32)
        # The first is whole.
        self.length = np.array([steps] + [random.integers(1, steps + 1) for _ in range(CLIPS - 1)] if self.is_masked else [steps] * CLIPS)

    def predict(self):
        paths = []
        for index, (frames, length) in enumerate(zip(self.frames, self.length)):
            paths.append(self.folder / (f"{index}.npy" if frames.ndim == 2 else f"{index}.bin"))
            if frames.ndim == 2:
                np.save(paths[-1], frames[:length])
            else:
                cases.write_bin(paths[-1], frames[:length], 25.0)
        found = self.vidclass("predict", *paths, "--checkpoint", self.checkpoint, "--top", self.case.drawn.classes, "--format", "json")
        return comparison.scores_of(json.loads(found.output), self.case.drawn)

    def export(self, form, part, name, *options):
        """The exported file, or the program's words if it refuses."""
        path = self.folder / name
        ended = process.watch([self.program, "export", self.checkpoint, "--format", form, "--part", part, "--output", path, *options],
                              dict(os.environ), self.folder)
        return (path, None) if ended.status == 0 else (None, ended.errors.decode().strip())
