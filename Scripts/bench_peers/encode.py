"""VGG16 and global average pooling over a clip's frames, in milliseconds a frame."""

from . import peers
from .measurement import Measurement, Sample, Subject
from .session import Session

# What `vidclass bench encode` prints of its repetitions; the peers' must be the same of theirs.
STATISTIC = "fastest"
PROGRAMS = {
    "openvino": ["encode_openvino"],
    "onnxruntime": ["encode_onnxruntime"],
    "keras": ["encode_keras"],
    "torch-channels-last": ["encode_torch", "--mode", "channels-last"],
    "torch": ["encode_torch", "--mode", "default"],
    "torch-compile": ["encode_torch", "--mode", "compile"],
}


def measurement(session: Session) -> Measurement:
    frames = session.options.frames

    def vidclass() -> list[Sample]:
        document, ended = session.vidclass_bench("encode", *session.shape)
        return [Sample(document["ms_per_frame"], ended.peak_bytes)]

    def peer(name: str) -> list[Sample]:
        document, ended = session.program(*PROGRAMS[name])
        return [Sample(document[STATISTIC] * 1e3 / frames, ended.peak_bytes)]

    subjects = [Subject("vidclass", ["vidclass"], vidclass)]
    subjects += [Subject(name, [peers.PEERS[name].title], lambda name=name: peer(name))
                 for name in PROGRAMS if name in session.options.peers]
    return Measurement(
        "encode", f"VGG16 and global average pooling, {session.shape_text} at once", "ms a frame", subjects, ["vidclass"],
        note=f"Median over the rounds; of the repetitions in a round the {STATISTIC}.")
