"""The measurements: vidclass and its peers, alternately."""

import json
import pathlib
import shutil
import statistics
import tempfile
from collections.abc import Callable
from functools import partial

from .measurement import PEERS, Measurement, Sample, Subject
from .session import Session

CLASSES = 4
BATCH = 8
VALIDATION_SPLIT = 0.2
HEAD_CLIPS = 32
EPOCHS = 10
# The clips of the training steps of each network.
NETWORKS = {"vgg16": (1, 4, 16), "mobilenet_v2": (1,), "efficientnet_lite0": (1,), "resnet50": (1,)}
MEMORY_GIB = 2
# Steps of more clips are vidclass's alone: the peers keep every activation, more than 1 GB a clip, and 16 do not fit everywhere.
MOST_CLIPS_OF_PEERS = 4
ALIKE = "The peers run the network that `vidclass export` writes."
TORCH_MODES = {"torch-channels-last": "channels-last", "torch": "default", "torch-compile": "compile"}


def turns(session: Session, what: str, *arguments, sample: Callable[[dict], float], only=None) -> list[Subject]:
    """The peers' subjects: each runs its program for `what`, and `sample` makes a number of the program's document."""
    programs = {"openvino": ["onnx openvino"], "onnxruntime": ["onnx onnxruntime"], "keras": [f"keras {what}"]}
    programs |= {name: [f"torch {what}", "--mode", mode] for name, mode in TORCH_MODES.items()}

    def run(name: str) -> list[Sample]:
        document, ended = session.program(*programs[name], *arguments)
        return [Sample(sample(document), ended.peak_bytes)]

    return [Subject(name, [PEERS[name].title], lambda name=name: run(name)) for name in only or programs if name in session.options.peers]


def bench(session: Session, what: str, key: str, *arguments) -> list[Sample]:
    """One turn of `vidclass bench`, whose document has the number under `key`."""
    document, ended = session.vidclass_bench(what, *arguments)
    return [Sample(document[key], ended.peak_bytes)]


def exported(session: Session, name: str) -> pathlib.Path:
    """The network with random weights as `vidclass export` writes it for the peers: the path of its files, without their endings."""
    path = session.folder / name
    if not path.with_suffix(".onnx").exists():
        config = configuration(session, synthetic(session, per_class=2), epochs=1, validation_split=0)
        settings = [f"model.cnn.architecture={name}", "model.cnn.weights=null", "data.preprocessing=none", f"output.name={name}",
                    # A training that has no time keeps the weights that it would begin with.
                    "training.max_minutes=1e-9"]
        session.vidclass("train", "--config", config, "--quiet", *[word for setting in settings for word in ("--set", setting)])
        for form, ending in [("keras", ".keras"), ("torch", ".safetensors"), ("onnx", ".onnx")]:
            session.vidclass("export", session.folder / "runs" / name / "weights" / "last.safetensors", "--format", form,
                             "--part", "encoder", "--output", path.with_suffix(ending))
    return path


def encode(session: Session, name: str) -> Measurement:
    """The encoding of a clip's frames by a network and global average pooling, in milliseconds a frame."""
    subjects = [Subject("vidclass", ["vidclass"],
                        lambda: bench(session, "encode", "ms_per_frame", *session.shape, "--architecture", name))]
    # `vidclass bench encode` prints the fastest of its repetitions, too.
    subjects += turns(session, "encode", "--encoder", exported(session, name),
                      sample=lambda document: document["fastest"] * 1e3 / session.options.frames)
    return Measurement(
        f"encode-{name}", f"{name} features, {session.shape_text} at once", "ms a frame", subjects, ["vidclass"],
        note=f"Median over the rounds, of the fastest of the repetitions in a round. {ALIKE}")


def step(session: Session, name: str, clips: int) -> Measurement:
    """Whole training steps with every layer trainable, in milliseconds a frame, and the memory that they take."""

    def vidclass(*arguments) -> list[Sample]:
        return bench(session, "step", "ms_per_frame", *session.shape, "--architecture", name, "--batch", clips, *arguments)

    subjects = []
    if clips <= MOST_CLIPS_OF_PEERS:
        subjects.append(Subject("vidclass", ["vidclass"], vidclass))
    if clips > 1:
        subjects.append(Subject("vidclass", [f"vidclass, memory_gib {MEMORY_GIB}"], lambda: vidclass("--memory-gib", MEMORY_GIB)))
    if clips <= MOST_CLIPS_OF_PEERS:
        subjects += turns(session, "step", "--encoder", exported(session, name), "--batch", clips, only=["keras", *TORCH_MODES],
                          sample=lambda document: document["median"] * 1e3 / (clips * session.options.frames))
    return Measurement(
        f"step-{clips}-{name}", f"Training step with {name}, {clips} clip{'s' * (clips > 1)} of {session.shape_text}", "ms a frame",
        subjects, subjects[0].rows, note=f"Median over the rounds, of the median of the repetitions in a round. {ALIKE} Batch "
        "normalizations are trained: all take the statistics of all frames of a batch, and update the moving ones.")


def head(session: Session) -> Measurement:
    """Training steps of the head (LSTM 256, dense 1024, softmax) on cached features, in clips a second."""
    frames = session.options.frames
    subjects = [Subject("vidclass", ["vidclass"],
                        lambda: bench(session, "head", "clips_per_second", "--frames", frames, "--batch", HEAD_CLIPS))]
    subjects += turns(session, "head", "--batch", HEAD_CLIPS, only=["keras", "torch", "torch-compile"],
                      sample=lambda document: HEAD_CLIPS / document["median"])
    return Measurement(
        "head", f"Training steps of the head on cached features, {HEAD_CLIPS} clips of {frames} x 512", "clips a second", subjects,
        ["vidclass"], is_rate=True, note="Median over the rounds, of the median of the repetitions in a round.")


def whole(rows: list[str], vidclass: Callable[[], list[Sample]], session: Session, keras: Callable[[], list[Sample]]) -> list[Subject]:
    """The subjects of a measurement of whole programs, in seconds."""
    subjects = [Subject("vidclass", rows, vidclass)]
    if "keras" in session.options.peers:
        subjects.append(Subject("keras", [PEERS["keras"].title], keras))
    return subjects


def frozen(session: Session) -> Measurement:
    """Ten epochs with VGG16 frozen. vidclass runs twice: its second run finds the features of the first one in the cache."""
    data = synthetic(session, session.options.clips_per_class)
    config = configuration(session, data, EPOCHS, VALIDATION_SPLIT)
    measured = session.options.keras_epochs

    def vidclass() -> list[Sample]:
        cache = tempfile.mkdtemp(prefix="cache-", dir=session.folder)
        import_weights(session, cache)
        command = ["train", "--config", config, "--quiet", "--threads", session.options.threads]
        runs = [session.vidclass(*command, cache=cache) for _ in range(2)]
        shutil.rmtree(cache)
        return [Sample(ended.seconds, ended.peak_bytes) for ended in runs]

    def keras() -> list[Sample]:
        document, ended = session.program("keras frozen", "--data", data, "--batch", BATCH, "--epochs", measured,
                                          "--validation-split", VALIDATION_SPLIT)
        rest = statistics.mean(document["epochs"][1:]) * (EPOCHS - measured)
        return [Sample(ended.seconds + rest, ended.peak_bytes)]

    subjects = whole(["vidclass, first run", "vidclass, second run"], vidclass, session, keras)
    note = "Wall-clock time of whole processes, from start to exit."
    if measured < EPOCHS and "keras" in session.options.peers:
        note += (f" Keras ran {measured} epochs; its time is that process's and {EPOCHS - measured} times the mean of its epochs after "
                 "the first.")
    count = CLASSES * session.options.clips_per_class
    return Measurement(
        "frozen", f"Ten epochs with VGG16 frozen on {count} clips of {session.shape_text}, {VALIDATION_SPLIT:.0%} of them held out, "
        f"batches of {BATCH}", "s", subjects, subjects[0].rows, note=note)


def predict(session: Session) -> Measurement:
    """One clip's prediction: start, imports, weights, the network, exit."""
    data = synthetic(session, per_class=2)
    import_weights(session, session.cache)
    config = configuration(session, data, epochs=1, validation_split=0)
    session.vidclass("train", "--config", config, "--quiet", "--threads", session.options.threads)
    checkpoint = session.folder / "runs" / data.name / "weights" / "best.safetensors"
    clip = min(data.glob("*/*.bin"))
    model = session.folder / "classifier.keras"

    def vidclass() -> list[Sample]:
        ended = session.vidclass("predict", clip, "--checkpoint", checkpoint, "--threads", session.options.threads)
        return [Sample(ended.seconds, ended.peak_bytes)]

    def keras() -> list[Sample]:
        if not model.exists():
            session.program("keras save", "--classes", CLASSES, "--model", model)
        _, ended = session.program("keras predict", "--model", model, "--clip", clip)
        return [Sample(ended.seconds, ended.peak_bytes)]

    subjects = whole(["vidclass"], vidclass, session, keras)
    # The warm-up brings every file that is read into memory: the process is cold, the disk is not.
    return Measurement(
        "predict", f"Predicting a clip of {session.shape_text} from a cold process", "s", subjects, ["vidclass"], warmups=1,
        note="Wall-clock time of whole processes, from start to exit, imports included.")


def synthetic(session: Session, per_class: int) -> pathlib.Path:
    """A folder of synthetic clips, made once a session."""
    folder = session.folder / f"clips-{per_class}"
    if not folder.exists():
        size = session.options.size
        session.vidclass("synth", folder, "--classes", CLASSES, "--clips-per-class", per_class, "--frames", session.options.frames,
                         "--rows", size, "--columns", size)
    return folder


def configuration(session: Session, data: pathlib.Path, epochs: int, validation_split: float) -> pathlib.Path:
    """A configuration file: the defaults, with this session's shape and weights."""
    document = {
        "model": {
            "input": {"frames": session.options.frames, "rows": session.options.size, "columns": session.options.size},
            "cnn": {"weights": "imagenet" if session.options.weights else None, "trainable": False}},
        "data": {"path": str(data), "validation_split": validation_split, "preprocessing": "caffe"},
        "training": {"epochs": epochs, "batch_size": BATCH},
        "output": {"directory": str(session.folder / "runs"), "name": data.name}}
    path = session.folder / f"{data.name}.json"
    path.write_text(json.dumps(document))
    return path


def import_weights(session: Session, cache: pathlib.Path) -> None:
    """Imports the weights of --weights, if any, as this cache's `imagenet`."""
    if session.options.weights:
        session.vidclass("weights", "import", session.options.weights, cache=cache)


MEASUREMENTS = {
    **{f"encode-{name}": partial(encode, name=name) for name in NETWORKS},
    **{f"step-{clips}-{name}": partial(step, name=name, clips=clips) for name, counts in NETWORKS.items() for clips in counts},
    "head": head,
    "frozen": frozen,
    "predict": predict,
}
