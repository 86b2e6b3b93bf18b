"""Whole training steps with VGG16 trainable, in milliseconds a frame, and the memory that they take."""

from . import child, peers
from .measurement import Measurement, Sample, Subject
from .session import Session

PROGRAMS = {
    "keras": ["step_keras"],
    "torch-channels-last": ["step_torch", "--mode", "channels-last"],
    "torch": ["step_torch", "--mode", "default"],
    "torch-compile": ["step_torch", "--mode", "compile"],
}
MEMORY_GIB = 2
# Steps of more clips are vidclass's alone: the peers keep every activation, more than 1 GB a clip, and 16 do not fit everywhere.
MOST_CLIPS_OF_PEERS = 4


def measurement(session: Session, clips: int) -> Measurement:
    def vidclass(*arguments) -> list[Sample]:
        document, ended = session.vidclass_bench("step", *session.shape, "--batch", clips, *arguments)
        return [Sample(document["ms_per_frame"], ended.peak_bytes)]

    def peer(name: str) -> list[Sample]:
        document, ended = session.program(*PROGRAMS[name], "--batch", clips)
        return [Sample(document["median"] * 1e3 / (clips * session.options.frames), ended.peak_bytes)]

    bounded = Subject("vidclass", [f"vidclass, memory_gib {MEMORY_GIB}"], lambda: vidclass("--memory-gib", MEMORY_GIB))
    unbounded = Subject("vidclass", ["vidclass"], vidclass)
    is_boundable = "--memory-gib" in session.vidclass("bench", "step", "--help").output
    subjects = [bounded] if is_boundable and clips > MOST_CLIPS_OF_PEERS else [unbounded, bounded] if is_boundable else [unbounded]
    if clips <= MOST_CLIPS_OF_PEERS:
        subjects += [Subject(name, [peers.PEERS[name].title], lambda name=name: peer(name))
                     for name in PROGRAMS if name in session.options.peers]
    return Measurement(
        f"step-{clips}", f"Training step, VGG16 trainable, {clips} clip{'s' * (clips > 1)} of {session.shape_text}", "ms a frame", subjects,
        subjects[0].rows, note="Median over the rounds, of the median of the repetitions in a round. Peak memory of the whole process.")
