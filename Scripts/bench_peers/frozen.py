"""Ten epochs with VGG16 frozen, as whole programs, in seconds. vidclass runs twice: its second run finds the features of
the first one in the cache."""

import shutil
import statistics
import tempfile

from . import clips, peers
from .measurement import Measurement, Sample, Subject
from .session import Session

EPOCHS = 10


def measurement(session: Session) -> Measurement:
    data = clips.made(session, session.options.clips_per_class)
    config = clips.config(session, data, EPOCHS, clips.VALIDATION_SPLIT)

    def vidclass() -> list[Sample]:
        cache = tempfile.mkdtemp(prefix="cache-", dir=session.folder)
        clips.import_weights(session, cache)
        command = ["train", "--config", config, "--quiet", "--threads", session.options.threads]
        runs = [session.vidclass(*command, cache=cache) for _ in range(2)]
        shutil.rmtree(cache)
        return [Sample(ended.seconds, ended.peak_bytes) for ended in runs]

    measured = session.options.keras_epochs

    def keras() -> list[Sample]:
        document, ended = session.program("frozen_keras", "--data", data, "--batch", clips.BATCH, "--epochs", measured,
                                          "--validation-split", clips.VALIDATION_SPLIT)
        rest = statistics.mean(document["epochs"][1:]) * (EPOCHS - measured)
        return [Sample(ended.seconds + rest, ended.peak_bytes)]

    subjects = [Subject("vidclass", ["vidclass, first run", "vidclass, second run"], vidclass)]
    if "keras" in session.options.peers:
        subjects.append(Subject("keras", [peers.PEERS["keras"].title], keras))
    note = "Wall-clock time of whole processes, from start to exit."
    if measured < EPOCHS and "keras" in session.options.peers:
        note += (f" Keras ran {measured} epochs; its time is that process's and {EPOCHS - measured} times the mean of its epochs after "
                 "the first.")
    count = clips.CLASSES * session.options.clips_per_class
    return Measurement(
        "frozen", f"Ten epochs with VGG16 frozen on {count} clips of {session.shape_text}, {clips.VALIDATION_SPLIT:.0%} of them held out, "
        f"batches of {clips.BATCH}", "s", subjects, subjects[0].rows, note=note)
