"""Makes the golden numbers and fixtures that the tests compare with.

    PYTHONPATH=Scripts python3 -m maintain.goldens                        writes all of them
    PYTHONPATH=Scripts python3 -m maintain.goldens layers explain         writes some
    PYTHONPATH=Scripts python3 -m maintain.goldens --check                makes them and compares them with the committed ones

All seeds are fixed. The pooled features of vgg16_features.safetensors are made by maintain.vgg16.
"""

import importlib
import pathlib
import subprocess
import sys
import tempfile

from maintain import environment

# The folder below Tests, the packages, and what it is.
GOLDENS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "layers": ("VidModelTests/Goldens", environment.NETWORKS, "layers, loss, optimisers, trainings, by PyTorch, checked by Keras"),
    "networks": ("VidModelTests/Goldens", ("torch", "torchvision", "timm", "efficientnet-lite-pytorch", "safetensors", "numpy"),
                 "features and gradients of the named networks, by torchvision, timm and efficientnet-lite-pytorch"),
    "keras_networks": ("VidModelTests/Goldens", ("keras", "tensorflow-cpu", "safetensors", "numpy"),
                       "features and gradients of the named networks of Keras, by Keras"),
    "explain": ("VidModelTests/Goldens", environment.NETWORKS, "Grad-CAM and integrated gradients, by PyTorch"),
    "vectors": ("VidModelTests/Goldens", ("keras", "tensorflow-cpu", "numpy", "safetensors"), "standardized vectors, by Keras"),
    "callbacks": ("VidTrainTests/Goldens", ("keras", "tensorflow-cpu", "numpy"), "early stopping, plateau and schedules, by Keras"),
    "audio": ("VidDataTests/Goldens", ("librosa", "numpy", "scipy", "safetensors"), "mel filters and spectrograms, by librosa"),
    "augmentation": ("VidTensorTests/Goldens", ("torch", "torchvision", "numpy", "safetensors"), "changes of frames, by torchvision"),
    "comparison": ("VidReportTests/Goldens", ("scipy", "statsmodels", "numpy"), "p-values of `vidclass compare`, by statsmodels"),
    "report": ("VidReportTests/Goldens", ("numpy", "pandas", "scikit-learn"), "the metrics of a report, by scikit-learn"),
    "hdf5": ("VidCheckpointTests/Fixtures", ("keras", "tensorflow-cpu", "h5py", "numpy"), "Keras's files and malformed ones, by h5py"),
}


def main() -> None:
    parser = environment.parser(__doc__)
    parser.epilog = "goldens:\n" + "\n".join(f"  {name:13} {text} (Tests/{folder})" for name, (folder, _, text) in GOLDENS.items())
    parser.add_argument("golden", nargs="*", help="all unless named")
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
    folder, packages, _ = GOLDENS[name]
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
