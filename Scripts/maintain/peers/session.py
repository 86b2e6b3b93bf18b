"""What all measurements of one run share: options, a temporary folder, the environment of the children; and the machine."""

import argparse
import json
import os
import pathlib
import platform
import time
from dataclasses import dataclass

from maintain import environment, process

# Settings of the user for other programs: an OpenBLAS kernel, thread counts, reduced precision. None of them may favour anybody.
CLEARED = ("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "TF_", "XLA_", "KERAS_", "TORCH", "OV_", "ORT_", "PYTHON")


@dataclass(frozen=True)
class Session:
    options: argparse.Namespace
    folder: pathlib.Path
    python: pathlib.Path

    @property
    def cache(self) -> pathlib.Path:
        """Where vidclass keeps things by default: not with the user's, so that every session starts from nothing."""
        return self.folder / "cache"

    def variables(self, cache: pathlib.Path | None = None) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(CLEARED)}
        return kept | {
            "XDG_CACHE_HOME": str(cache or self.cache),
            "OMP_NUM_THREADS": str(self.options.threads),
            "PYTHONPATH": str(environment.SCRIPTS),
            **environment.QUIET,
            # Compiled once, not once a round.
            "TORCHINDUCTOR_CACHE_DIR": str(self.folder / "inductor"),
        }

    def vidclass(self, *arguments, cache: pathlib.Path | None = None) -> process.Ended:
        """Runs vidclass in the session's folder."""
        return process.run([self.options.vidclass, *arguments], self.variables(cache), self.folder)

    def vidclass_bench(self, *arguments) -> tuple[dict, process.Ended]:
        """The document of `vidclass bench ... --json`."""
        ended = self.vidclass("bench", *arguments, "--threads", self.options.threads, "--json")
        return json.loads(ended.text), ended

    def program(self, name: str, *arguments) -> tuple[dict, process.Ended]:
        """Runs a peer's program, such as `keras encode`, and returns the document in its last line of output."""
        framework, work = name.split()
        command = [self.python, "-m", f"maintain.peers.{framework}_programs", work, *self.shape, "--threads", self.options.threads,
                   *arguments]
        if self.options.weights:
            command += ["--weights", self.options.weights]
        ended = process.run(command, self.variables(), self.folder)
        return json.loads(ended.text.splitlines()[-1]), ended

    @property
    def shape(self) -> list:
        return ["--frames", self.options.frames, "--size", self.options.size]

    @property
    def shape_text(self) -> str:
        return f"{self.options.frames} frames of {self.options.size} x {self.options.size}"


def describe(session: Session, versions: dict[str, str | None]) -> argparse.Namespace:
    """Facts from the system and `vidclass doctor`. `versions` are the peers'."""
    # First of all: the next questions count as load themselves.
    load = os.getloadavg()[0]
    doctor = json.loads(session.vidclass("doctor", "--threads", session.options.threads, "--json").text)
    vidclass = session.vidclass("--version").text.split()
    python = process.run([session.python, "--version"], session.variables(), session.folder).text.split()[-1]
    return argparse.Namespace(
        date=time.strftime("%Y-%m-%d", time.gmtime()),
        processor=processor() or doctor["processor"],
        cores=len(os.sched_getaffinity(0)),
        threads=session.options.threads,
        memory_bytes=doctor["memory_bytes"],
        system=f"{distribution()}, Linux {platform.release().split('-')[0]}, {platform.machine()}",
        blas=f"{' '.join(doctor['blas_version'].split()[:2])}, kernel {doctor['blas_kernel']}",
        sgemm_gflops=doctor["sgemm_gflops"],
        simd=doctor["simd"],
        load=load,
        versions={"vidclass": vidclass[-1] if vidclass else None, "Python": python} | versions)


def processor() -> str:
    """The CPU's name with its family and model, since virtual machines often hide the number in the name."""
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name", "")
    return f"{name} (family {fields['cpu family']}, model {fields['model']})" if name and "cpu family" in fields else name


def distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "unknown distribution"
