"""One clip's prediction as a whole program, in seconds: start, imports, weights, the network, exit."""

from . import clips, peers
from .measurement import Measurement, Sample, Subject
from .session import Session

CLIPS_PER_CLASS = 2


def measurement(session: Session) -> Measurement:
    data = clips.made(session, CLIPS_PER_CLASS)
    clips.import_weights(session, session.cache)
    config = clips.config(session, data, epochs=1, validation_split=0)
    session.vidclass("train", "--config", config, "--quiet", "--threads", session.options.threads)
    checkpoint = session.folder / "runs" / data.name / "weights" / "best.safetensors"
    clip = min(data.glob("*/*.bin"))
    model = session.folder / "classifier.keras"

    def vidclass() -> list[Sample]:
        ended = session.vidclass("predict", clip, "--checkpoint", checkpoint, "--threads", session.options.threads)
        return [Sample(ended.seconds, ended.peak_bytes)]

    def keras() -> list[Sample]:
        if not model.exists():
            session.program("save_keras", "--classes", clips.CLASSES, "--model", model)
        _, ended = session.program("predict_keras", "--model", model, "--clip", clip)
        return [Sample(ended.seconds, ended.peak_bytes)]

    subjects = [Subject("vidclass", ["vidclass"], vidclass)]
    if "keras" in session.options.peers:
        subjects.append(Subject("keras", [peers.PEERS["keras"].title], keras))
    # The warm-up brings every file that is read into memory: the process is cold, the disk is not.
    return Measurement(
        "predict", f"Predicting a clip of {session.shape_text} from a cold process", "s", subjects, ["vidclass"], warmups=1,
        note="Wall-clock time of whole processes, from start to exit, imports included.")
