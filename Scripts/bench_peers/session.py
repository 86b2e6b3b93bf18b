"""What all measurements of one run share: options, a temporary folder, the environment of the children."""

import json
import os
import pathlib
from dataclasses import dataclass

from . import child
from .options import Options

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
# What the user has set for other programs: an OpenBLAS kernel, thread counts, reduced precision. None of it may favour anybody.
CLEARED = ("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "TF_", "XLA_", "KERAS_", "TORCH", "OV_", "ORT_", "PYTHON")


@dataclass(frozen=True)
class Session:
    options: Options
    folder: pathlib.Path
    python: pathlib.Path

    @property
    def cache(self) -> pathlib.Path:
        """Where vidclass keeps things by default: not with the user's, so that every session starts from nothing."""
        return self.folder / "cache"

    def environment(self, cache: pathlib.Path | None = None) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(CLEARED)}
        return kept | {
            "XDG_CACHE_HOME": str(cache or self.cache),
            "OMP_NUM_THREADS": str(self.options.threads),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "KERAS_BACKEND": "tensorflow",
            "CUDA_VISIBLE_DEVICES": "-1",
            # Compiled once, not once a round.
            "TORCHINDUCTOR_CACHE_DIR": str(self.folder / "inductor"),
        }

    def vidclass(self, *arguments, cache: pathlib.Path | None = None) -> child.Ended:
        """Runs vidclass in the session's folder."""
        return child.run([self.options.vidclass, *arguments], self.environment(cache), self.folder)

    def vidclass_bench(self, *arguments) -> tuple[dict, child.Ended]:
        """What `vidclass bench ... --json` says."""
        ended = self.vidclass("bench", *arguments, "--threads", self.options.threads, "--json")
        return json.loads(ended.output), ended

    def program(self, name: str, *arguments) -> tuple[dict, child.Ended]:
        """Runs a peer's program and returns the document in its last line of output."""
        command = [self.python, PROGRAMS / f"{name}.py", *self.shape, "--threads", self.options.threads, *arguments]
        if self.options.weights:
            command += ["--weights", self.options.weights]
        ended = child.run(command, self.environment(), self.folder)
        return json.loads(ended.output.splitlines()[-1]), ended

    @property
    def shape(self) -> list:
        return ["--frames", self.options.frames, "--size", self.options.size]

    @property
    def shape_text(self) -> str:
        return f"{self.options.frames} frames of {self.options.size} x {self.options.size}"
