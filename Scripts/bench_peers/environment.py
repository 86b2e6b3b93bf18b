"""The peers' virtual environment. It is the benchmark's own: the newest versions, where the goldens' are pinned."""

import json
import pathlib
import subprocess
import sys
import venv

VERSIONS = """
import importlib.metadata, json, sys
def version(name):
    try: return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


def prepare(folder: pathlib.Path, packages: list[str]) -> pathlib.Path:
    """The interpreter of the environment in `folder`, which is made, with the packages that it lacks installed."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"making a virtual environment in {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
    missing = absent(python, packages)
    if missing:
        print(f"installing {', '.join(missing)}; this takes minutes and gigabytes", file=sys.stderr)
        if not install(python, missing):
            # One that this machine cannot have must not take the others along.
            for name in missing:
                install(python, [name])
        if missing := absent(python, packages):
            print(f"warning: not installed: {', '.join(missing)}", file=sys.stderr)
    return python


def versions(python: pathlib.Path, packages: list[str]) -> dict[str, str | None]:
    """The installed version of each package; None where absent."""
    output = subprocess.run([python, "-c", VERSIONS, *packages], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def absent(python: pathlib.Path, packages: list[str]) -> list[str]:
    return [name for name, version in versions(python, packages).items() if version is None]


def install(python: pathlib.Path, packages: list[str]) -> bool:
    # Standard output is the report's alone.
    return subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], stdout=sys.stderr).returncode == 0
