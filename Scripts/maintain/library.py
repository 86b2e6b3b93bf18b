"""Uses the libraries as other projects do.

- Examples/swift becomes a package of its own that depends on a version of this one, is built and run: SwiftPM takes no version whose product
  needs unsafe flags. Builds everything once more, in some ten minutes.
- libvidclass.so (Scripts/library.sh) computes between numpy's products, with the same numbers before and after.

Works on the last commit. Needs git, and numpy for the second part.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from . import environment

NUMPY = """
import ctypes, os, numpy, threading
before = numpy.random.default_rng(1).standard_normal((600, 600)).astype("float32")
product = before @ before
exec(open("example.py").read())
threads = [threading.Thread(target=lambda: before @ before) for _ in range(4)]
for thread in threads: thread.start()
for _ in range(20):
    check(library.vidclass_predict_bytes(model, pixels, ctypes.c_size_t(count), ctypes.byref(shape), scores, ctypes.c_size_t(len(scores))))
for thread in threads: thread.join()
assert (before @ before == product).all()
library.vidclass_free(model)
print("numpy", numpy.__version__, "and libvidclass.so compute side by side")
"""


def run(words, folder, **options):
    print("+", *words, flush=True)
    return subprocess.run([str(word) for word in words], cwd=folder, check=True, **options)


def build_example(work):
    """The example as a package of its own; what it prints."""
    source = work / "vidclass"
    run(["git", "clone", "--quiet", environment.REPOSITORY, source], work)
    run(["git", "-c", "user.name=check", "-c", "user.email=check@localhost", "tag", "1.0.0"], source)
    package = work / "moves"
    shutil.copytree(source / "Examples" / "swift", package)
    manifest = package / "Package.swift"
    text = manifest.read_text()
    old = '.package(name: "vidclass", path: "../..")'
    if old not in text:
        sys.exit(f"Examples/swift/Package.swift: expected {old}")
    manifest.write_text(text.replace(old, f'.package(url: "file://{source}", from: "1.0.0")'))
    run(["swift", "build", "-c", "release", "-j", "2"], package)
    program = package / ".build" / "release" / "Moves"
    output = run([program], work, stdout=subprocess.PIPE, text=True).stdout
    print(output)
    if "accuracy on 12 held-out clips: 1.0" not in output:
        sys.exit("the example has not learned its clips")


def beside_numpy(work, vidclass):
    """The Python example of the documentation in a process that uses numpy."""
    folder = environment.REPOSITORY / ".build" / "library"
    if not (folder / "libvidclass.so.1").exists():
        sys.exit("there is no .build/library: run Scripts/library.sh")
    page = (environment.REPOSITORY / "Sources" / "vidclass" / "Documentation.docc" / "UsingTheLibraries.md").read_text()
    (work / "example.py").write_text(page.split("```python\n")[1].split("```")[0])
    (work / "numpy_too.py").write_text(NUMPY)
    run([vidclass, "synth", "data", "--classes", "2", "--clips-per-class", "4", "--frames", "4", "--rows", "32", "--columns", "32"], work)
    small = ['model.cnn.architecture={"blocks":[[4]]}', "model.cnn.weights=null", "model.cnn.trainable=true", "model.input.frames=4",
             "model.input.rows=32", "model.input.columns=32", "training.epochs=1", "data.path=data", "data.leak_check=off"]
    (work / "config.json").write_text("{}")
    run([vidclass, "train", "--config", "config.json", "--quiet", *(word for value in small for word in ("--set", value))], work)
    run([sys.executable, "numpy_too.py"], work, env=dict(environment.os.environ, LD_LIBRARY_PATH=str(folder)))


def main():
    parser = environment.parser(__doc__)
    environment.add_program(parser)
    parser.add_argument("--only", choices=["package", "numpy"], help="one of the two parts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        if arguments.only != "package":
            environment.enter("numpy")
            beside_numpy(work, pathlib.Path(arguments.vidclass).resolve())
        if arguments.only != "numpy":
            build_example(work)
    print("ok")


if __name__ == "__main__":
    main()
