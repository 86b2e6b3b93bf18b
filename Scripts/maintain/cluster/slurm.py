"""Trainings as jobs of Slurm, whose daemons run here for as long as the check: srun, and a job that its time limit ends."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

from maintain import process
from maintain.torture.bench import files

from . import trial
from .trial import Failed, Trial

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]
SETTINGS = """ClusterName=vidclass
SlurmctldHost={host}
SlurmUser=root
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
AuthInfo=socket={work}/munge.socket
StateSaveLocation={work}/state
SlurmdSpoolDir={work}/spool
SlurmctldPidFile={work}/slurmctld.pid
SlurmdPidFile={work}/slurmd.pid
SlurmctldLogFile={work}/slurmctld.log
SlurmdLogFile={work}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
ENDED = ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"]
# Slurm sends the signal up to a minute early, and counts limits in minutes. It goes to the processes that srun started.
JOB = """#!/bin/sh
#SBATCH --ntasks=2
#SBATCH --time=00:02:00
#SBATCH --signal=TERM@60
exec srun --mpi={mpi} {command}
"""


class Slurm:
    """A cluster of this machine alone, with a configuration and a key of its own."""

    def __init__(self, work: pathlib.Path):
        self.work = work / "slurm"
        self.daemons: list[subprocess.Popen] = []

    def __enter__(self) -> "Slurm":
        for name in ["state", "spool"]:
            (self.work / name).mkdir(parents=True)
        self.work.chmod(0o755)
        key = self.work / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        settings = self.work / "slurm.conf"
        settings.write_text(SETTINGS.format(host=socket.gethostname().split(".")[0], work=self.work))
        os.environ["SLURM_CONF"] = str(settings)
        try:
            self.start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={self.work}/munge.socket",
                       f"--pid-file={self.work}/munge.pid", f"--log-file={self.work}/munge.log", f"--seed-file={self.work}/munge.seed")
            self.wait_until("munge does not start", (self.work / "munge.socket").exists)
            self.start("slurmctld", "-D", "-f", settings)
            self.start("slurmd", "-D", "-f", settings)
            self.wait_until("Slurm does not start", lambda: "idle" in run("sinfo", "--noheader", "--format=%T"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error) -> None:
        subprocess.run(["scancel", "--full", "--user=root"], capture_output=True)
        time.sleep(1)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        os.environ.pop("SLURM_CONF", None)

    def start(self, *words) -> None:
        with open(self.work / "daemons.log", "a") as log:
            self.daemons.append(subprocess.Popen(list(map(str, words)), stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def wait_until(self, fault: str, is_so, limit: float = 30) -> None:
        end = time.monotonic() + limit
        while not is_so():
            if time.monotonic() > end or any(daemon.poll() is not None for daemon in self.daemons):
                raise Failed(f"{fault}: {self.logs()}")
            time.sleep(0.2)

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-1500:] for path in sorted(self.work.glob("*.log")))

    def job(self, folder: pathlib.Path, mpi: str, command: list[str], *options: str) -> str:
        """Runs a batch job to its end; returns the state that Slurm gives it, with its exit code."""
        script = folder / "job.sh"
        script.write_text(JOB.format(mpi=mpi, command=" ".join(command)))
        number = run("sbatch", "--parsable", f"--chdir={folder}", f"--output={folder}/errors", *options, script)
        end = time.monotonic() + 1800
        while True:
            shown = dict(word.split("=", 1) for word in run("scontrol", "--oneliner", "show", "job", number).split() if "=" in word)
            if shown["JobState"] in ENDED:
                return f"{shown['JobState']} {shown['ExitCode']} after {shown['RunTime']}"
            if time.monotonic() > end:
                raise Failed(f"the job does not end: {shown['JobState']}; {self.logs()}")
            time.sleep(0.5)


def run(*words) -> str:
    return subprocess.run(list(map(str, words)), capture_output=True, text=True).stdout.strip()


def install() -> None:
    if all(shutil.which(name) for name in ["slurmctld", "slurmd", "srun", "munged"]):
        return
    process.quiet("apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES)


def check(options, work: pathlib.Path) -> list[str]:
    """Prints a table; returns what is wrong."""
    trial.need_root("slurm")
    install()
    os.environ["VIDCLASS_MPI_PLUGIN"] = str(trial.plugin())
    # Longer than the job's limit, so that the second job has something to do.
    training = Trial(options.vidclass, work, {"training": {"epochs": options.slurm_epochs}})
    rows, wrong = [], []
    folder = training.folder("alone")
    seconds = trial.whole(training.words(folder), folder, 3600)
    expected = files(folder)
    rows.append(["one process", "", f"{seconds:.0f}", ""])
    with Slurm(work) as slurm:
        kinds = run("srun", "--mpi=list")
        print(f"Slurm {run('srun', '--version').split()[-1]}; " + " ".join(kinds.split()) + "\n", flush=True)
        mpi = options.slurm_mpi
        folder = training.folder("srun")
        seconds = trial.whole(["srun", "--ntasks=2", f"--mpi={mpi}", *training.words(folder)], folder, 3600)
        rows.append([f"srun -n 2 --mpi={mpi}", "", f"{seconds:.0f}", trial.compare(expected, folder)])
        folder = training.folder("sbatch")
        first = slurm.job(folder, mpi, training.words(folder))
        done = trial.epochs_done(folder)
        rows.append(["sbatch, ended by its time limit", first, "", f"{done} of {options.slurm_epochs} epochs"])
        if "143" not in first or not 0 < done < options.slurm_epochs:
            wrong.append(f"the time limit ended the job after {done} epochs as {first}; choose --slurm-epochs: {(folder / 'errors').read_text()[-1500:]}")
        second = slurm.job(folder, mpi, training.words(folder), "--time=00:30:00")
        rows.append(["sbatch, resumed by a second job", second, "", trial.compare(expected, folder)])
    trial.table(["training", "state", "seconds", "weights and results.csv"], rows)
    return wrong + [f"{row[0]}: {row[3]}" for row in rows if "OTHER" in row[3]]
