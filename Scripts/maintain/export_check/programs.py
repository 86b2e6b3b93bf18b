"""Running exported files in other programs."""

import importlib.util
import re
from dataclasses import dataclass

import keras
import numpy as np
import onnx
import onnxruntime
import openvino
import torch

OPSETS = range(17, 22)
ENDINGS = {"torch": "safetensors"}
# What the formats do not have, in the words of `vidclass export`.
KNOWN = {"keras": ["Keras 3 has no LSTM", "Keras has no max_pooling2d with padding symmetric"]}


@dataclass
class Outcome:
    """What one export in one program showed: a difference of scores, or the reason why there is none."""

    program: str
    error: float = np.inf
    fault: str = ""
    refusal: str = ""


def outcomes(model, with_parts):
    """The outcomes of all formats and programs."""
    random = np.random.default_rng(model.case.drawn.seed)
    opset = ["--opset", int(random.choice(OPSETS))]
    programs = [("onnx", opset, {"ONNX Runtime": onnx_runtime}),
                ("onnx", ["--scan", *opset], {"ONNX Runtime, Scan": onnx_runtime, "OpenVINO, Scan": open_vino}),
                ("keras", [], {"Keras": keras_model}), ("torch", [], {"PyTorch": torch_module})]
    has_encoder = model.config["model"]["cnn"] is not None
    for form, options, runs in programs:
        for chain in [["whole"]] + [["encoder", "head"]] * (with_parts and has_encoder):
            files, refusal = [], None
            for part in chain:
                path, refusal = model.export(form, part, f"{form}_{part}.{ENDINGS.get(form, form)}", *options)
                if refusal:
                    break
                files.append(path)
            for program, run in runs.items():
                label = program + (", in parts" if len(chain) > 1 else "")
                known = refusal and next((words for words in KNOWN.get(form, []) if words in refusal), None)
                if refusal:
                    yield Outcome(label, refusal=known) if known else Outcome(label, fault=refusal)
                else:
                    yield compared(label, model, run, files)
    longer = model.longer() if with_parts else None
    if longer:
        for label, options, run in [("ONNX Runtime", [], onnx_runtime), ("OpenVINO, Scan", ["--scan"], open_vino)]:
            path, refusal = model.export("onnx", "whole", "any.onnx", "--dynamic-frames", *options, *opset)
            label += ", any frames"
            yield Outcome(label, fault=refusal) if refusal else compared(label, longer, run, [path])


def compared(label, model, run, files):
    try:
        value = model.frames
        if len(files) > 1:
            steps = value.reshape(-1, *value.shape[2:])
            value = run(model, files[0], "encoder", steps).reshape(*value.shape[:2], -1)
        scores = run(model, files[-1], "whole" if len(files) == 1 else "head", value)
    except Exception as error:
        words = re.sub(r"\s+", " ", str(error))[:600]
        return Outcome(label, fault=f"{type(error).__name__}: {words}")
    if scores.shape != model.scores.shape:
        return Outcome(label, fault=f"scores {scores.shape}, expected {model.scores.shape}")
    return Outcome(label, float(np.abs(scores - model.scores).max()))


def feeds(model, part, value):
    """The inputs of an ONNX model by name."""
    name = "features" if part == "head" else "frames"
    return {name: value} | ({"length": model.length.astype(np.int64)} if model.is_masked and part != "encoder" else {})


def onnx_runtime(model, path, part, value):
    onnx.checker.check_model(path, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True, data_prop=True)
    labels = {entry.key: entry.value for entry in inferred.metadata_props}
    assert "classes" in labels and "config" in labels, labels.keys()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds(model, part, value))[0]


def open_vino(model, path, part, value):
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(feeds(model, part, value))[0]


def keras_model(model, path, part, value):
    loaded = keras.saving.load_model(path, safe_mode=True, compile=False)
    value = value.astype(np.float32)
    if part != "head" and value.ndim > 3:
        value = np.moveaxis(value, -3, -1)
    inputs = [value, model.length.astype(np.int32)] if model.is_masked and part != "encoder" else value
    return loaded.predict(inputs, verbose=0)


def torch_module(model, path, part, value):
    specification = importlib.util.spec_from_file_location("exported", path.with_suffix(".py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    inputs = [torch.tensor(value)] + ([torch.tensor(model.length)] if model.is_masked and part != "encoder" else [])
    with torch.inference_mode():
        return module.load()(*inputs).numpy()
