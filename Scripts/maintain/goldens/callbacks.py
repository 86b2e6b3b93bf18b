"""Traces of Keras's callbacks and schedules on made-up metrics, which vidclass's must follow."""

import json

import keras
import numpy as np


def metrics(seed: int, falling: bool) -> list[float]:
    """Forty epochs of a metric that gets better, stalls, jumps and repeats itself."""
    random = np.random.default_rng(seed)
    values = np.exp(-np.arange(40) / 12) + random.normal(0, 0.03, 40)
    values[20:26] = values[20]
    return [round(float(value if falling else 1 - value), 4) for value in values]


def run(kind, falling: bool, values: list[float], settings: dict):
    """The network after each epoch of a callback of Keras's."""
    network = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    network.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    callback = kind(monitor="loss", mode="min" if falling else "max", **settings)
    callback.set_model(network)
    network.stop_training = False
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"loss": value})
        yield network


def early_stopping(settings: dict, falling: bool, values: list[float]) -> dict:
    networks = enumerate(run(keras.callbacks.EarlyStopping, falling, values, settings), 1)
    epochs = next((epoch for epoch, network in networks if network.stop_training), None)
    return {"kind": "early_stopping", "falling": falling, "values": values, "settings": settings, "epochs": epochs}


def reduce_on_plateau(settings: dict, falling: bool, values: list[float]) -> dict:
    rates = [float(network.optimizer.learning_rate) for network in run(keras.callbacks.ReduceLROnPlateau, falling, values, settings)]
    return {"kind": "reduce_lr_on_plateau", "falling": falling, "values": values, "settings": settings, "rates": rates}


def cosine(alpha: float, steps: int) -> dict:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, steps, alpha=alpha)
    return {"kind": "cosine", "settings": {"alpha": alpha}, "steps": steps, "rates": [float(schedule(step)) for step in range(steps)]}


def write(folder) -> None:
    cases = []
    for falling in (True, False):
        values = metrics(3 + falling, falling)
        for settings in (
            {"patience": 0}, {"patience": 1}, {"patience": 3}, {"patience": 3, "min_delta": 0.02}, {"patience": 50},
            {"patience": 2, "start_from_epoch": 15},
        ):
            cases.append(early_stopping(settings, falling, values))
        for settings in (
            {"patience": 0, "factor": 0.5}, {"patience": 2, "factor": 0.5}, {"patience": 2, "factor": 0.1, "min_delta": 0.02},
            {"patience": 1, "factor": 0.5, "cooldown": 3}, {"patience": 1, "factor": 0.2, "min_lr": 0.01},
        ):
            cases.append(reduce_on_plateau(settings, falling, values))
    cases += [cosine(0.0, 24), cosine(0.1, 7)]
    (folder / "callbacks.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"callbacks.json: {len(cases)} cases")
