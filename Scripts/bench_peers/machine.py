"""What the figures were measured on and with."""

import json
import os
import pathlib
import platform
import time
from dataclasses import dataclass

from . import child
from .session import Session


@dataclass(frozen=True)
class Facts:
    date: str
    processor: str
    cores: int
    threads: int
    memory_bytes: int
    system: str
    blas: str
    sgemm_gflops: float
    simd: str
    load: float
    versions: dict[str, str | None]


def describe(session: Session, versions: dict[str, str | None]) -> Facts:
    """Asks the system and `vidclass doctor`. `versions` are the peers'."""
    # First of all: what is asked next counts as load itself.
    load = os.getloadavg()[0]
    doctor = json.loads(session.vidclass("doctor", "--threads", session.options.threads, "--json").output)
    vidclass = session.vidclass("--version").output.split()
    return Facts(
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
        versions={"vidclass": vidclass[-1] if vidclass else None, "Python": python_version(session)} | versions)


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


def python_version(session: Session) -> str:
    return child.run([session.python, "--version"], session.environment(), session.folder).output.split()[-1]
