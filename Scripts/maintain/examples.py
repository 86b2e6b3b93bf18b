"""Runs the examples of README.md, of `vidclass help` and of the documentation, so that none of them goes out of date.

    PYTHONPATH=Scripts python3 -m maintain.examples [--vidclass PROGRAM] [--only TEXT] [--slow] [--verbose] [--keep]

The examples are

- Shell: blocks without a language or marked sh, bash or console, and the indented lines of every command's help. Lines that
  begin with "$ " are commands, or, where there are none, all lines of a block that begins with a known program.
- Python: blocks marked python, where their modules can be imported by --python.
- JSON: blocks marked json must be configurations that `vidclass inspect` takes.
- Code within a line: `vidclass COMMAND --option` must be a command with that option, and `training.epochs` a key.

Every page gets a temporary folder with small stand-ins for the reader's files: videos, clips, runs, a configuration. Where a
reader would train VGG16, a network of four filters is trained for an epoch here (SMALL); the list at the end tells which
examples were changed so, and which cannot run here (CANNOT). Ends with 1 where an example fails. Needs ffmpeg and nothing but
Python's standard library.
"""

import ast
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from . import environment

ROOT = environment.REPOSITORY
CATALOGUE = ROOT / "Sources" / "vidclass" / "Documentation.docc"
PAGES = [ROOT / "README.md", *sorted(CATALOGUE.glob("*.md"))]
PROGRAMS = ("vidclass", "./Scripts/", "Scripts/", "python3", "pip", "cat", "tensorboard", "swift", "man", "VIDCLASS_", "PYTHONPATH=", "source")
SECONDS = 120
START = time.monotonic()

# The commands that cannot run here, and why.
CANNOT = [
    (r"^vidclass weights fetch", "downloads 59 MB; WeightsDownloadTests fetch from a server of their own"),
    (r"^vidclass weights import", "needs Keras's file of VGG16; WeightsTests import small ones"),
    (r"^(\./)?Scripts/(quickstart|test|setup|docs|format|library)\.sh", "builds, or calls this script"),
    (r"\bpython3 -m maintain", "a maintainers' check; run by hand"),
    (r"^(VIDCLASS_UPDATE=1 )?swift ", "builds"),
    (r"^pip3? install", "installs packages"),
    (r"^tensorboard ", "a server that runs on"),
    (r"rtsp://", "needs a camera; StreamCommandTests pipe files"),
    (r"predict --watch", "runs until Ctrl-C; WatchCommandTests run it"),
]
# The same, but for --slow.
SLOW = [(r"keras_from_checkpoint|import keras", "imports Keras; run with --slow")]

# Settings that are added to a command that would train VGG16, unless the command sets the key itself.
SMALL = {
    "model.cnn.weights": "null", "model.cnn.architecture": '{"blocks":[[4]]}', "model.cnn.trainable": "true",
    "model.input.frames": "4", "model.input.rows": "32", "model.input.columns": "32",
    "model.recurrent": '[{"type":"lstm","units":4}]', "model.hidden": '[{"type":"dense","units":64}]',
    "training.epochs": "1", "stages": "[]",
}

# The reader's classes and their names in the stand-ins.
CLASSES = {"beach": "cooking", "desert": "climbing"}


@dataclass(frozen=True)
class Example:
    """One thing to try: `kind` is shell, python, json, inline or key."""

    source: str
    line: int
    kind: str
    text: str

    def __str__(self):
        return f"{self.source}:{self.line}" if self.line else self.source


# MARK: - Finding


def examples_of_page(path):
    name, found, fence = path.relative_to(CATALOGUE if CATALOGUE in path.parents else ROOT).as_posix(), [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark = re.match(r"^\s*```(\S*)\s*$", line)
        if mark and fence is None:
            fence = (mark[1], number + 1, [])
        elif mark:
            found += examples_of_block(name, *fence)
            fence = None
        elif fence:
            fence[2].append(line)
        else:
            for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", line):
                if code.startswith("vidclass "):
                    found.append(Example(name, number, "inline", code))
                elif re.fullmatch(r"(model\.(input|cnn|recurrent|hidden)|optimizer|data|augmentation|training|stages|evaluation|output)(\.[a-z0-9_N]+)*", code):
                    found.append(Example(name, number, "key", code))
    if fence:
        sys.exit(f"{name}:{fence[1]}: a block of code that does not end")
    return found


def examples_of_block(name, language, number, lines):
    if language in ("python", "json"):
        return [Example(name, number, language, "\n".join(lines) + "\n")]
    if language not in ("", "sh", "bash", "console"):
        return []
    numbered = list(enumerate(lines, number))
    if any(line.startswith("$ ") for line in lines):
        numbered = [(at, line[2:]) for at, line in numbered if line.startswith("$ ")]
    elif not lines or not lines[0].startswith(PROGRAMS):
        return []
    return [Example(name, at, "shell", command) for at, command in joined(numbered)]


def joined(numbered):
    """Commands with their continued lines, without remarks."""
    commands, pending, start = [], "", None
    for number, line in numbered:
        start = start or number
        if line.rstrip().endswith("\\"):
            pending += line.rstrip()[:-1]
            continue
        text = re.sub(r"\s{2,}\(.*\)$", "", pending + line).strip()
        if text and not text.startswith("#"):
            commands.append((start, text))
        pending, start = "", None
    return commands


def commands_of(program):
    """Each command's path such as `weights fetch`, with its description as the argument parser dumps it."""
    dump = json.loads(subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout)
    found = {}

    def visit(command, path):
        found[" ".join(path)] = command
        for child in command.get("subcommands", []):
            visit(child, path + [child["commandName"]])

    visit(dump["command"], [])
    return found


def examples_of_help(commands):
    found = []
    for path, command in commands.items():
        lines = command.get("discussion", "").splitlines()
        numbered = [(0, line[2:]) for line in lines if line.startswith("  ")]
        found += [Example(f"vidclass help {path}".strip(), 0, "shell", text) for _, text in joined(numbered)]
    return found


# MARK: - The reader's files


def make_stand_ins(folder, run):
    """Small files under the names that the examples use."""
    for name, picture in [("cooking", "testsrc2"), ("climbing", "mandelbrot")]:
        (folder / "videos" / name).mkdir(parents=True)
        subprocess.run(
            ["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", f"{picture}=size=48x48:rate=8", "-t", "6", "-g", "8",
             "-pix_fmt", "yuv420p", "-f", "segment", "-segment_time", "1", "-reset_timestamps", "1",
             str(folder / "videos" / name / "%03d.mp4")], check=True)
    for name in ["atari", "other-videos"]:
        shutil.copytree(folder / "videos", folder / name)
    shutil.copytree(ROOT / "Configs", folder / "Configs")
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=48x48:rate=8", "-t", "10",
                    "-pix_fmt", "yuv420p", str(folder / "match.mp4")], check=True)
    for name in ["holiday.mp4", "new.mp4"]:
        shutil.copy(folder / "videos" / "cooking" / "000.mp4", folder / name)
    shutil.copytree(folder / "videos" / "climbing", folder / "new")
    rows = ["label,youtube_id,time_start,time_end,split"]
    (folder / "kinetics" / "videos").mkdir(parents=True)
    for label in ["cooking", "climbing"]:
        for place in range(4):
            shutil.copy(folder / "videos" / label / f"00{place}.mp4", folder / "kinetics" / "videos" / f"{label}{place}_000000_000001.mp4")
            rows.append(f"{label},{label}{place},0,1,train")
    (folder / "kinetics" / "train.csv").write_text("\n".join(rows) + "\n")
    run("vidclass synth data/synth --clips-per-class 10 --frames 8 --rows 32 --columns 32")
    run("vidclass pack videos clips --frames 4 --rows 32 --columns 32")
    for name in ["clip.bin", "noise.bin"]:
        shutil.copy(folder / "clips" / "cooking" / "000.bin", folder / name)
    shutil.copy(folder / "holiday.mp4", folder / "clips" / "cooking" / "holiday.mp4")
    (folder / "config.json").write_text(json.dumps({"data": {"path": "videos"}}))
    for _ in range(3):
        run(small("vidclass train --config config.json --quiet"))
    shutil.copytree(folder / "runs", folder / "experiments")


# MARK: - Trying


def small(command):
    """The command with SMALL's values, where it trains from a configuration that is not small already."""
    if re.search(r"^(\w+=\S+ )?vidclass bench (encode|step)", command):
        return re.sub(r"--size \d+", "", re.sub(r"--frames \d+", "", command)) + " --frames 1 --size 32"
    if "vidclass bench pipeline" in command and "--checkpoint" not in command:
        return re.sub(r"--videos \d+", "", command) + " --videos 1" + "".join(
            f" --set model.input.{key}" for key in ("frames=1", "rows=32", "columns=32"))
    names_data = re.search(r"vidclass train [^-\s]", command)
    if names_data and "--from" in command:
        return command + " --set training.epochs=1"
    if not (names_data or re.search(r"^(\w+=\S+ )?vidclass (train|check) .*--config", command)) or "smoke.json" in command:
        return command
    own = {word.split("=", 1)[0] for word in shlex.split(command) if "=" in word}
    if "train clips" in command:  # packed in a size of their own
        own |= {"model.input.frames", "model.input.rows", "model.input.columns"}
    added = [f"--set {shlex.quote(f'{key}={value}')}" for key, value in SMALL.items() if key not in own]
    if "Configs/" in command and "data.path" not in own and not names_data:
        added.append("--set data.path=videos")
    return " ".join([command, *added])


class Runner:
    def __init__(self, program, work, arguments):
        self.arguments, self.changed, self.failed, self.skipped, self.count = arguments, [], [], [], 0
        binaries = work / "bin"
        binaries.mkdir()
        (binaries / "vidclass").symlink_to(program)
        home = work / "home"
        home.mkdir()
        self.program = program
        library = str(ROOT / ".build" / "library")
        self.environment = os.environ | {
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"),
            "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1", "LD_LIBRARY_PATH": library,
        }

    def run(self, folder, command):
        """The fault of a command that should end with 0; None where it did."""
        try:
            done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=folder, env=self.environment, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"did not end within {SECONDS} s"
        if done.returncode == 0:
            return None
        return f"ended with {done.returncode}:\n" + "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])

    def skip(self, example, reason):
        self.skipped.append((example, reason))

    def reason_not_to(self, text):
        for pattern, reason in CANNOT + ([] if self.arguments.slow else SLOW):
            if re.search(pattern, text):
                return reason
        return None

    def shell(self, example, folder):
        command = example.text
        reason = self.reason_not_to(command)
        if reason:
            return self.skip(example, reason)
        if "install.sh" in command:
            command = f"{command} --binary {shlex.quote(str(self.program))}"
        if command.startswith(("./Scripts/", "Scripts/")) or " Scripts/" in command:
            command = re.sub(r"(^|\s)(\./)?Scripts/", lambda match: f"{match[1]}{ROOT}/Scripts/", command)
        if command.startswith("python3 "):
            command = shlex.quote(self.arguments.python) + command.removeprefix("python3")
            command += f" --vidclass {shlex.quote(str(self.program))}"
        if command.startswith("man "):
            return self.skip(example, "needs installed pages; Scripts/install.sh is run")
        if command.startswith("vidclass init"):
            # A reader who begins does not have it yet.
            words = shlex.split(command)
            output = words[words.index("--output") + 1] if "--output" in words else "config.json"
            (folder / output).unlink(missing_ok=True)
        for name, own in CLASSES.items():
            command = re.sub(rf"\b{name}\b", own, command)
        shrunk = small(command)
        if shrunk != command and command.startswith("vidclass"):
            self.changed.append(example)
        self.result(example, self.run(folder, shrunk))

    def python(self, example, folder):
        try:
            tree = ast.parse(example.text)
        except SyntaxError as error:
            return self.result(example, str(error))
        modules = {name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        modules |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        if modules & {"keras"} and not self.arguments.slow:
            return self.skip(example, "imports Keras; run with --slow")
        if "libvidclass.so" in example.text and not (ROOT / ".build" / "library" / "libvidclass.so.1").exists():
            return self.skip(example, "there is no .build/library; Scripts/library.sh builds it")
        check = "import importlib.util, sys; print(*[m for m in sys.argv[1:] if importlib.util.find_spec(m) is None])"
        missing = subprocess.run([self.arguments.python, "-c", check, *sorted(modules)], capture_output=True, text=True).stdout.strip()
        if missing:
            return self.skip(example, f"{self.arguments.python} has no {missing.replace(' ', ', ')}")
        file = folder / "example.py"
        file.write_text(example.text)
        self.result(example, self.run(folder, f"{shlex.quote(self.arguments.python)} example.py"))

    def json(self, example, folder):
        file = folder / "example.json"
        file.write_text(example.text)
        self.result(example, self.run(folder, "vidclass inspect example.json"))

    def inline(self, example, commands):
        """`vidclass COMMAND --option`: whether there are that command and those options."""
        words, path = example.text.split()[1:], []
        while words and " ".join(path + [words[0]]) in commands:
            path.append(words.pop(0))
        if not path and words and not re.match(r"[\[A-Z-]|\.\.\.|help$", words[0]):
            return self.result(example, f"there is no command {words[0]}")
        if words[:1] == ["help"] or path == ["help"]:
            return self.result(example, None)
        arguments = commands[" ".join(path)].get("arguments", [])
        known = {"--" + name["name"] for argument in arguments for name in argument.get("names", []) if name["kind"] == "long"}
        unknown = [option for option in re.findall(r"--[a-z][a-z-]*", example.text) if option not in known | {"--help", "--version"}]
        self.result(example, f"vidclass {' '.join(path)} has no {', '.join(unknown)}" if unknown else None)

    def key(self, example, keys):
        path = re.sub(r"\.\d+(?=\.|$)", ".N", example.text)
        if path.endswith(".json"):  # a file
            return self.result(example, None)
        found = any(key == path or key.startswith(path + ".") for key in keys)
        self.result(example, None if found else "not a key of a configuration")

    def result(self, example, fault):
        self.count += 1
        if fault:
            self.failed.append((example, fault))
        if self.arguments.verbose:
            now = time.monotonic() - START
            print(f"{now:5.1f} s {'FAILED' if fault else 'ok':7}{example}  {example.text.strip().splitlines()[0][:100]}", flush=True)


def keys_of_configuration():
    return set(re.findall(r"^\| `([^`]+)`", (CATALOGUE / "ConfigurationReference.md").read_text(), re.MULTILINE))


def main():
    parser = environment.parser(__doc__)
    environment.add_program(parser)
    parser.add_argument("--python", default=sys.executable, help="runs the Python examples (default: this one)")
    parser.add_argument("--slow", action="store_true", help="with the examples that import Keras")
    parser.add_argument("--only", default="", help="only pages whose name has this in it")
    parser.add_argument("--verbose", action="store_true", help="a line for every example")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder")
    arguments = parser.parse_args()
    program = arguments.vidclass.resolve()
    if not shutil.which("ffmpeg"):
        sys.exit("error: ffmpeg was not found; the examples' videos are made with it")

    work = pathlib.Path(tempfile.mkdtemp(prefix="vidclass-examples."))
    try:
        sys.exit(check(program, work, arguments))
    finally:
        if arguments.keep:
            print(f"left {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


def check(program, work, arguments):
    runner = Runner(program, work, arguments)
    commands, keys = commands_of(program), keys_of_configuration()
    examples = [example for page in PAGES for example in examples_of_page(page)] + examples_of_help(commands)
    examples = [example for example in examples if arguments.only in example.source]
    stand_ins = work / "stand-ins"
    stand_ins.mkdir()

    def prepare(command):
        fault = runner.run(stand_ins, command)
        if fault:
            sys.exit(f"error: the stand-ins could not be made: {command}: {fault}")

    make_stand_ins(stand_ins, prepare)

    def try_page(number, page):
        folder = work / f"page{number}"
        shutil.copytree(stand_ins, folder)
        for example in page:
            if example.kind == "inline":
                runner.inline(example, commands)
            elif example.kind == "key":
                runner.key(example, keys)
            else:
                getattr(runner, example.kind)(example, folder)

    sources = list(dict.fromkeys(example.source for example in examples))
    pages = [[example for example in examples if example.source == source] for source in sources]
    # Most of an example's time is the start of processes: as many pages at a time as there are processors.
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(try_page, range(len(pages)), pages))
    for results in [runner.changed, runner.skipped, runner.failed]:
        results.sort(key=lambda result: examples.index(result[0] if isinstance(result, tuple) else result))

    for example in runner.changed:
        print(f"small    {example}: {example.text}")
    for example, reason in runner.skipped:
        print(f"not run  {example}: {example.text.strip().splitlines()[0]}: {reason}")
    for example, fault in runner.failed:
        print(f"FAILED   {example}: {example.text.strip()}\n{fault}", file=sys.stderr)
    kinds = {kind: sum(example.kind == kind for example in examples) for kind in ["shell", "python", "json", "inline", "key"]}
    print(f"examples: {kinds['shell']} commands, {kinds['python']} Python and {kinds['json']} JSON blocks, {kinds['inline']} commands and "
          f"{kinds['key']} keys within lines; {len(runner.skipped)} not run, {len(runner.failed)} failed")
    return 1 if runner.failed else 0


if __name__ == "__main__":
    main()
