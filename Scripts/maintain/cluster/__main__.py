"""Checks and measures trainings on several ranks: over a network with faults, under Slurm, and against PyTorch.

    PYTHONPATH=Scripts python3 -m maintain.cluster [net] [slurm] [efficiency] [overlap] [gloo] [--vidclass PROGRAM]

net         hosts as network namespaces, over TCP at 1 Gbit/s: the same bytes on 1 to 4 hosts; a link that goes down, a rank that is
            stopped and one that is killed end all ranks within 30 s, and the training resumes to the same bytes; the bytes sent a step
slurm       Slurm's daemons on this machine (installed from Debian): srun, and a job that its time limit ends and a second one resumes
efficiency  2 ranks of one thread against 1 rank of 2 threads
overlap     how much of the sum over two hosts the backward pass hides at 1 Gbit/s, and a table on paper for many machines
gloo        the step of VGG16 against PyTorch's DistributedDataParallel with Gloo

net, slurm and overlap need root. Everything that they set up is removed at the end. Builds the plug-in for MPI, and uses mpirun of Open MPI.
Exits with 1 where a check fails or a ratio is below what is wanted.
"""

import pathlib
import shutil
import signal
import sys
import tempfile

from maintain import environment, process

from . import efficiency, gloo, net, overlap, slurm
from .trial import Failed

PARTS = {"net": net, "slurm": slurm, "efficiency": efficiency, "overlap": overlap, "gloo": gloo}


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    environment.add_program(parser)
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="measurements of each side (default: 5)")
    parser.add_argument("--frames", type=int, default=4, metavar="N", help="frames of a clip for the measurements (default: 4)")
    parser.add_argument("--size", type=int, default=224, metavar="N", help="rows and columns of a frame for the measurements (default: 224)")
    parser.add_argument("--batch", type=int, default=4, metavar="N", help="clips of a step for the measurements (default: 4)")
    parser.add_argument("--slurm-epochs", type=int, default=120, metavar="N", help="epochs that take longer than a minute (default: 120)")
    parser.add_argument("--slurm-mpi", default="pmix", metavar="KIND", help="srun's --mpi for the MPI of mpicc (default: pmix)")
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    parts = options.parts or list(PARTS)
    if "gloo" in parts:
        environment.enter("torch")
    # A check that is ended must remove what it has set up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wrong = []
    for name in parts:
        print(f"== {name}", flush=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="vidclass-cluster-"))
        try:
            wrong += [f"{name}: {fault}" for fault in PARTS[name].check(options, folder)]
        except (Failed, process.Failed) as error:
            wrong.append(f"{name}: {error}")
        except KeyboardInterrupt:
            sys.exit("interrupted")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if wrong:
        sys.exit("FAILED\n" + "\n".join(wrong))
    print("no failure")


if __name__ == "__main__":
    main()
