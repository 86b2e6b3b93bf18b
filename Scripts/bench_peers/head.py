"""Training steps of the head (LSTM 256, dense 1024, softmax) on cached features, in clips a second."""

from . import peers
from .measurement import Measurement, Sample, Subject
from .session import Session

PROGRAMS = {
    "keras": ["head_keras"],
    "torch": ["head_torch", "--mode", "default"],
    "torch-compile": ["head_torch", "--mode", "compile"],
}
CLIPS = 32


def measurement(session: Session) -> Measurement:
    def vidclass() -> list[Sample]:
        document, ended = session.vidclass_bench("head", "--frames", session.options.frames, "--batch", CLIPS)
        return [Sample(document["clips_per_second"], ended.peak_bytes)]

    def peer(name: str) -> list[Sample]:
        document, ended = session.program(*PROGRAMS[name], "--batch", CLIPS)
        return [Sample(CLIPS / document["median"], ended.peak_bytes)]

    subjects = [Subject("vidclass", ["vidclass"], vidclass)]
    subjects += [Subject(name, [peers.PEERS[name].title], lambda name=name: peer(name))
                 for name in PROGRAMS if name in session.options.peers]
    title = f"Training steps of the head on cached features, {CLIPS} clips of {session.options.frames} x 512"
    return Measurement(
        "head", title, "clips a second", subjects, ["vidclass"], is_rate=True,
        note="Median over the rounds, of the median of the repetitions in a round.")
