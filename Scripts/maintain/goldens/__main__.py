"""Makes the golden numbers and fixtures that the tests compare with.

    PYTHONPATH=Scripts python3 -m maintain.goldens                        writes all of them
    PYTHONPATH=Scripts python3 -m maintain.goldens layers explain         writes some
    PYTHONPATH=Scripts python3 -m maintain.goldens --check                makes them and compares them with the committed ones

All seeds are fixed. The pooled features of vgg16_features.safetensors are made by maintain.vgg16. The goldens are

  layers        VidModelTests: layers, the loss, optimisers and whole trainings, by PyTorch's autograd in double precision;
                where Keras has the same, the script asserts that it gives the same (to 1e-9, mostly)
  explain       VidModelTests: Grad-CAM and integrated gradients, by PyTorch's autograd
  callbacks     VidTrainTests: early stopping, the plateau and schedules, by Keras
  audio         VidDataTests: mel filters and spectrograms, by librosa
  augmentation  VidTensorTests: changes of frames, by torchvision
  comparison    VidReportTests: p-values of `vidclass compare`, by statsmodels and scipy
  report        VidReportTests: the metrics of a report, by scikit-learn
  hdf5          VidCheckpointTests/Fixtures: files of Keras and malformed ones, by h5py
"""

import importlib
import pathlib
import subprocess
import sys
import tempfile

from maintain import environment

# The folder below Tests, and the packages that it takes.
GOLDENS: dict[str, tuple[str, tuple[str, ...]]] = {
    "layers": ("VidModelTests/Goldens", environment.NETWORKS),
    "explain": ("VidModelTests/Goldens", environment.NETWORKS),
    "callbacks": ("VidTrainTests/Goldens", ("keras", "tensorflow-cpu", "numpy")),
    "audio": ("VidDataTests/Goldens", ("librosa", "numpy", "scipy", "safetensors")),
    "augmentation": ("VidTensorTests/Goldens", ("torch", "torchvision", "numpy", "safetensors")),
    "comparison": ("VidReportTests/Goldens", ("scipy", "statsmodels", "numpy")),
    "report": ("VidReportTests/Goldens", ("numpy", "pandas", "scikit-learn")),
    "hdf5": ("VidCheckpointTests/Fixtures", ("keras", "tensorflow-cpu", "h5py", "numpy")),
}


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("golden", nargs="*", help=f"all unless named: {', '.join(GOLDENS)}")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    arguments = parser.parse_args()
    unknown = set(arguments.golden) - GOLDENS.keys()
    if unknown:
        parser.error(f"unknown goldens: {', '.join(sorted(unknown))}; there are {', '.join(GOLDENS)}")
    if len(arguments.golden) != 1:
        # In processes of their own: Keras's precision and its names of layers are the process's.
        command = [sys.executable, "-m", "maintain.goldens", *(["--check"] if arguments.check else [])]
        ended = [subprocess.run([*command, name]).returncode for name in arguments.golden or GOLDENS]
        sys.exit(max(ended))
    name = arguments.golden[0]
    folder, packages = GOLDENS[name]
    environment.enter(*packages, *({"numpy", "safetensors", "h5py"} - set(packages) if arguments.check else ()))

    from maintain.goldens import golden

    committed = environment.REPOSITORY / "Tests" / folder
    module = importlib.import_module(f"maintain.goldens.{name}")
    if not arguments.check:
        committed.mkdir(parents=True, exist_ok=True)
        module.write(committed)
        return
    with tempfile.TemporaryDirectory() as scratch:
        module.write(pathlib.Path(scratch))
        sys.exit(0 if golden.compare(pathlib.Path(scratch), committed) else 1)


if __name__ == "__main__":
    main()
