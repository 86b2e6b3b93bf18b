#!/usr/bin/env bash
# Builds the plug-in with which vidclass runs on several machines, against the MPI that is here. See --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
Build the plug-in that connects vidclass to MPI (Open MPI, MPICH, or another MPI 3).

usage: Scripts/mpi_plugin.sh [--output FILE]

  --output FILE  the plug-in; .build/mpi/libvidclass_mpi.so by default, where the program built here finds it
  MPICC          (environment) the compiler of the MPI to use; mpicc by default

mpirun or srun must belong to the same MPI. Debian and Ubuntu have Open MPI's compiler in libopenmpi-dev, and its mpirun in openmpi-bin.
TEXT
}

output=
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help)
            usage
            exit 0
            ;;
        --output)
            [ $# -gt 1 ] || { echo "mpi_plugin.sh: --output takes a file" >&2; exit 64; }
            output=$2
            shift
            ;;
        *)
            echo "mpi_plugin.sh: unknown argument $1; see --help" >&2
            exit 64
            ;;
    esac
    shift
done
project=$(cd "$(dirname "$0")/.." && pwd)
output=${output:-$project/.build/mpi/libvidclass_mpi.so}
mpicc=${MPICC:-mpicc}
if ! command -v "$mpicc" >/dev/null 2>&1; then
    echo "mpi_plugin.sh: $mpicc was not found. Install an MPI (apt-get install libopenmpi-dev openmpi-bin), or name its compiler in MPICC." >&2
    exit 66
fi
mkdir -p "$(dirname "$output")"
# A program that runs keeps the plug-in that it has loaded.
"$mpicc" -shared -fPIC -fvisibility=hidden -std=gnu17 -O2 -Wall -Wextra -Werror -pthread -o "$output.new.$$" "$project"/Sources/CMPI/*.c
mv -f "$output.new.$$" "$output"
