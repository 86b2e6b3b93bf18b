"""The training of a case by PyTorch in double precision, exactly or under `Rounding`."""

import contextlib
import csv
import itertools
import math

import numpy as np
import torch

from maintain import clip, network, torch_network

from . import choices

# What preprocessing subtracts, in its result's unit: as large as the numbers are that it rounds.
SUBTRACTED = {"caffe": 124.0, "torch": 2.2, "symmetric": 1.0}


class Reference:
    """A case with its splits, ready to be trained more than once."""

    def __init__(self, case, folder):
        self.case, self.config, self.model = case, case.config, case.config["model"]
        clips = {each.path.removeprefix("clips/"): each for each in case.clips}
        with open(folder / "splits.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.splits = {split: [clips[row["path"]] for row in rows if row["split"] == split] for split in ("train", "val")}
        self.samples = self.config["evaluation"]["clips"]

    def batch(self, chosen, rounding):
        """Frames (B, T, rows, columns, channels) and mask of pairs of a clip and its frames."""
        frames, masks, name = self.model["input"]["frames"], [], self.config["data"].get("preprocessing")
        pixels = []
        has_pixels = "features" not in self.model["input"]
        for each, indices in chosen:
            indices, mask = choices.filled(indices, frames, self.config["data"]["short_clips"])
            pixels.append(clip.preprocess(each.pixels[indices], name) if has_pixels else each.pixels[indices])
            masks.append(mask)
        x = torch.tensor(np.stack(pixels))
        if rounding and has_pixels:
            rounding.perturb(x, x.abs() + SUBTRACTED.get(name, 0.0))
        return x, torch.tensor(masks, dtype=torch.float64) if self.config["data"]["short_clips"] == "mask" else None

    def probabilities(self, clips, parameters, rounding=None):
        """The mean of the softmaxes of the evaluation samples of each clip."""
        found = []
        with torch.no_grad(), rounding or contextlib.nullcontext():
            for each in clips:
                rate = float(np.float32(each.rate))
                frames = [choices.evaluation_frames(self.config, len(each.pixels), rate, i, self.samples) for i in range(self.samples)]
                x, mask = self.batch([(each, indices) for indices in frames], rounding)
                found.append(torch.softmax(torch_network.logits(x, dict(parameters), self.model, mask), -1).mean(0))
        return torch.stack(found)

    def statistics(self):
        """The mean and deviation of each feature over all frames of the training clips, by the names that they have."""
        frames = np.concatenate([each.pixels for each in self.splits["train"]])
        deviation = frames.std(0)
        return {"input/mean": frames.mean(0), "input/standard_deviation": np.where(deviation > 0, deviation, 1)}

    def train(self, initial, rounding=None):
        """Every number that a training leaves behind, by name: `results.csv`'s and the tensors of `last.safetensors`."""
        numbers = {}
        parameters = torch_network.with_gradients(initial, self.model, torch.float64)
        optimizer = Optimizer(self.config, {name: p for name, p in parameters.items() if network.is_trainable(name, self.model)})
        clips, training = self.splits["train"], self.config["training"]
        per_step = training["batch_size"] * self.config["optimizer"]["gradient_accumulation_steps"]
        steps = math.ceil(len(clips) / per_step)
        rates = Rates(self.config, steps)
        orders = itertools.islice(choices.orders(self.config, len(clips)), training["epochs"])
        for epoch, order in enumerate(orders):
            losses, correct = 0.0, 0
            for step in range(steps):
                positions = range(step * per_step, min(len(clips), (step + 1) * per_step))
                optimizer.zero()
                for first in range(positions.start, positions.stop, training["batch_size"]):
                    part = positions[first - positions.start:][:training["batch_size"]]
                    loss, hits = self.add_gradients(parameters, epoch, [(order[p], p) for p in part], len(positions), rounding)
                    losses, correct = losses + loss, correct + hits
                rate = rates[epoch * steps + step]
                with torch.no_grad(), rounding or contextlib.nullcontext():
                    optimizer.step(rate)
            numbers |= {f"epoch {epoch + 1}: train/loss": losses / len(clips),
                        f"epoch {epoch + 1}: train/categorical_accuracy": correct / len(clips), f"epoch {epoch + 1}: lr": rate}
            if self.splits["val"]:
                scores = self.probabilities(self.splits["val"], parameters, rounding)
                labels = torch.tensor([each.label for each in self.splits["val"]])
                numbers[f"epoch {epoch + 1}: val/loss"] = -torch.log(scores[range(len(labels)), labels]).mean().item()
                numbers[f"epoch {epoch + 1}: val/categorical_accuracy"] = (scores.argmax(-1) == labels).double().mean().item()
        tensors = {name: values.detach() for name, values in parameters.items()} | optimizer.slots()
        return {name: np.float64(value) for name, value in numbers.items()} | {name: values.numpy() for name, values in tensors.items()}

    def add_gradients(self, parameters, epoch, batch, denominator, rounding):
        """Adds the gradients of the loss's sum over a batch of (clip, position in the order) divided by the step's clips."""
        clips = [self.splits["train"][index] for index, _ in batch]
        chosen = [(each, choices.training_frames(self.config, len(each.pixels), float(np.float32(each.rate)), epoch, position))
                  for each, (_, position) in zip(clips, batch)]
        labels = torch.tensor([each.label for each in clips])
        with rounding or contextlib.nullcontext():
            x, mask = self.batch(chosen, rounding)
            logits = torch_network.logits(x, parameters, self.model, mask, training=True)
            smoothing = self.config["training"]["label_smoothing"]
            targets = torch.nn.functional.one_hot(labels, logits.shape[-1]).double() * (1 - smoothing) + smoothing / logits.shape[-1]
            loss = (self.class_weights()[labels] * -(targets * torch.log_softmax(logits, -1)).sum(-1)).sum()
            (loss / denominator).backward()
        return loss.item(), (logits.argmax(-1) == labels).sum().item()

    def class_weights(self):
        weights, labels = self.config["training"]["class_weights"], [each.label for each in self.splits["train"]]
        counts = np.bincount(labels, minlength=self.case.classes)
        if weights == "balanced":
            return torch.tensor(len(labels) / (len(counts) * np.maximum(counts, 1)))
        return torch.tensor([float((weights or {}).get(f"c{label}", 1)) for label in range(len(counts))], dtype=torch.float64)


class Rates:
    """The learning rate of each step of the training."""

    def __init__(self, config, steps):
        self.rate, self.schedule = config["optimizer"]["learning_rate"], config["training"]["learning_rate_schedule"]
        self.steps, self.total = steps, steps * config["training"]["epochs"]

    def __getitem__(self, step):
        schedule = self.schedule
        # Halves away from zero, as no other rounding does.
        warmup = math.floor(schedule.get("warmup_epochs", 0) * self.steps + 0.5)
        if step < warmup:
            return self.rate * (step + 1) / warmup
        if schedule["type"] == "cosine":
            share = (step - warmup) / max(1, self.total - warmup)
            return self.rate * (schedule["alpha"] + (1 - schedule["alpha"]) * (1 + math.cos(math.pi * share)) / 2)
        if schedule["type"] == "step":
            return self.rate * schedule["factor"] ** (step // self.steps // schedule["step_epochs"])
        return self.rate


class Optimizer:
    """The optimizers by their published formulas, with what all share: clipping and decoupled decay."""

    def __init__(self, config, parameters):
        self.settings, self.parameters, self.t, self.product = config["optimizer"], parameters, 0, 1.0
        moments = {"nadam": "mv", "adam": "mv", "rmsprop": "v", "sgd": "m" if self.settings.get("momentum") else ""}[self.settings["type"]]
        self.moments = {letter: {name: torch.zeros_like(p) for name, p in parameters.items()} for letter in moments}

    def zero(self):
        for p in self.parameters.values():
            p.grad = torch.zeros_like(p)

    def slots(self):
        return {f"optimizer/{letter}/{name}": values for letter, moment in self.moments.items() for name, values in moment.items()}

    def step(self, rate):
        if not self.parameters:
            return
        self.t += 1
        norm = torch.sqrt(sum((p.grad * p.grad).sum() for p in self.parameters.values())).item()
        clip_norm = self.settings.get("clip_norm") or math.inf
        scale = clip_norm / norm if norm > clip_norm else 1.0
        excluded = self.settings.get("exclude_from_weight_decay", [])
        advance = getattr(self, self.settings["type"])(rate)
        for name, p in self.parameters.items():
            change = advance(p.grad * scale, {letter: moment[name] for letter, moment in self.moments.items()})
            decay = 0.0 if any(part in name for part in excluded) else rate * self.settings.get("weight_decay", 0.0)
            p.mul_(1 - decay)
            p.sub_(change)

    def mean(self, moment, gradient, decay):
        return moment.mul_(decay).add_(gradient * (1 - decay))

    def sgd(self, rate):
        momentum, is_nesterov = self.settings["momentum"], self.settings["nesterov"]

        def change(g, moments):
            if not momentum:
                return rate * g
            m = moments["m"].mul_(momentum).sub_(rate * g)
            return rate * g - momentum * m if is_nesterov else -m
        return change

    def rmsprop(self, rate):
        return lambda g, moments: rate * g / torch.sqrt(self.mean(moments["v"], g * g, self.settings["rho"]) + self.settings["epsilon"])

    def adam(self, rate):
        beta_1, beta_2, epsilon = (self.settings[key] for key in ("beta_1", "beta_2", "epsilon"))
        rate *= math.sqrt(1 - beta_2**self.t) / (1 - beta_1**self.t)

        def change(g, moments):
            m, v = self.mean(moments["m"], g, beta_1), self.mean(moments["v"], g * g, beta_2)
            return rate * m / (torch.sqrt(v) + epsilon)
        return change

    def nadam(self, rate):
        beta_1, beta_2, epsilon = (self.settings[key] for key in ("beta_1", "beta_2", "epsilon"))
        now, following = (beta_1 * (1 - 0.5 * 0.96 ** (t * self.settings["schedule_decay"])) for t in (self.t, self.t + 1))
        self.product *= now

        def change(g, moments):
            m, v = self.mean(moments["m"], g, beta_1), self.mean(moments["v"], g * g, beta_2)
            step = g * ((1 - now) / (1 - self.product)) + m * (following / (1 - self.product * following))
            return rate * step / (torch.sqrt(v / (1 - beta_2**self.t)) + epsilon)
        return change
