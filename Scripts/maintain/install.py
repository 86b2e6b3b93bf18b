"""Checks what Scripts/install.sh installs: program, completions, manual pages, the plug-in for MPI, and that nothing is left after removal.

    PYTHONPATH=Scripts python3 -m maintain.install [--vidclass PROGRAM]

Installs into a prefix with a space; tries completions as bash and zsh show them in a terminal (with tmux, where they are
installed); looks for warnings about the manual pages (with groff and man); asks the program for its plug-in (with mpicc); removes to the
last file.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from . import environment

# The text before the Tab, a text that must be shown then, and one that must not.
COMPLETIONS = [
    ("vidclass tr", "vidclass train", "FAILED"),
    ("vidclass ", "predict", "generate-manual"),
    ("vidclass com", "vidclass compare", "FAILED"),
    ("vidclass train --con", "--config", "--cache"),
    ("vidclass train --config con", "config.json", "config.txt"),
    ("vidclass train --set training.ep", "training.epochs=", "shuffle"),
    ("vidclass predict clip2", "clip2.bin", "clip2.txt"),
    ("vidclass predict --format ", "json", "xml"),
    ("vidclass weights ", "fetch", "predict"),
    ("vidclass weights fetch ", "vgg19", "vgg20"),
    ("vidclass compare runs/tr", "runs/train/", "FAILED"),
    ("vidclass eval --split ", "test", "FAILED"),
]
INSTALLED = ["bin/vidclass", "share/bash-completion/completions/vidclass", "share/zsh/site-functions/_vidclass",
             "share/fish/vendor_completions.d/vidclass.fish", "share/man/man1/vidclass.1", "share/man/man1/vidclass-weights-fetch.1",
             "share/vidclass/smoke.json", "share/vidclass/schema.json", "share/doc/vidclass/README.md", "share/doc/vidclass/copyright"]
BASHRC = """PS1='ready> '
PATH="$PREFIX_UNDER_TEST/bin:$PATH"
bind 'set bell-style none' 'set completion-query-items 1000' 'set page-completions off'
if [ -r /usr/share/bash-completion/bash_completion ]; then
    export XDG_DATA_DIRS="$PREFIX_UNDER_TEST/share"
    source /usr/share/bash-completion/bash_completion
else
    source "$PREFIX_UNDER_TEST/share/bash-completion/completions/vidclass"
fi
"""
ZSHRC = """PS1='ready> '
PATH="$PREFIX_UNDER_TEST/bin:$PATH"
setopt no_beep
fpath=("$PREFIX_UNDER_TEST/share/zsh/site-functions" $fpath)
autoload -Uz compinit
compinit -u -D
"""
failures: list[str] = []


def check(is_good: bool, fault: str) -> None:
    if not is_good:
        print(f"FAILED: {fault}", file=sys.stderr)
        failures.append(fault)


def output(*command, **variables) -> str:
    """Standard output and errors of a command, whatever its exit code."""
    return subprocess.run(list(map(str, command)), env=os.environ | variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace").stdout


class Shell:
    """A shell in a terminal of tmux."""

    def __init__(self, name: str, command: str, folder: pathlib.Path, prefix: pathlib.Path):
        self.name, self.server = name, f"vidclass-check-{os.getpid()}"
        self.tmux("new-session", "-d", "-s", name, "-x", "200", "-y", "50", "-c", str(folder), "-e", f"PREFIX_UNDER_TEST={prefix}", command)

    def tmux(self, *words: str) -> str:
        return output("tmux", "-L", self.server, *words)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", self.name)

    def keys(self, *words: str) -> None:
        self.tmux("send-keys", "-t", self.name, *words)

    def shows(self, text: str) -> bool:
        """Waits up to five seconds for a text on the screen."""
        return any(text in self.screen() or time.sleep(0.1) for _ in range(50))

    def check(self) -> None:
        if not self.shows("ready>"):
            return check(False, f"{self.name} does not start: {self.screen()}")
        for line, wanted, other in COMPLETIONS:
            self.keys("C-u", "C-l")
            self.keys("-l", line)
            self.keys("Tab")
            time.sleep(0.2)
            self.keys("Tab")
            # A busy machine may have taken two Tabs for one.
            check(self.shows(wanted) or self.keys("Tab") or self.shows(wanted),
                  f'{self.name}: "{line}" does not offer {wanted}: {self.screen().strip()[:400]}')
            check(other not in self.screen(), f'{self.name}: "{line}" offers {other}')
            self.keys("C-u")
        self.keys("C-l")
        self.keys("-l", "vidclass train --set training.ep")
        self.keys("Tab")
        if self.shows("training.epochs="):
            self.keys("-l", "7")
        check(self.shows("training.epochs=7"), f"{self.name}: a space after training.epochs=")
        self.tmux("kill-session", "-t", self.name)
        print(f"{self.name}: {len(COMPLETIONS)} completions")


def check_completions(work: pathlib.Path, prefix: pathlib.Path) -> None:
    here = work / "here"
    (here / "runs" / "train" / "weights").mkdir(parents=True)
    (work / "zsh").mkdir()
    for name in ["clip2.bin", "clip2.txt", "config.json", "config.txt"]:
        (here / name).touch()
    (work / "bashrc").write_text(BASHRC)
    (work / "zsh" / ".zshrc").write_text(ZSHRC)
    if shutil.which("tmux") is None:
        print("tmux was not found: completions are not tried")
    else:
        try:
            Shell("bash", f"bash --noprofile --rcfile '{work}/bashrc' -i", here, prefix).check()
            if shutil.which("zsh"):
                Shell("zsh", f"ZDOTDIR='{work}/zsh' zsh -i", here, prefix).check()
            else:
                print("zsh was not found: its completions are not tried")
        finally:
            output("tmux", "-L", f"vidclass-check-{os.getpid()}", "kill-server")
    if shutil.which("fish"):
        fault = output("fish", "--no-execute", prefix / "share/fish/vendor_completions.d/vidclass.fish")
        check(not fault, f"the completions of fish: {fault}")


def check_manual(folder: pathlib.Path) -> None:
    pages = sorted(folder.glob("*.1"))
    for page in pages:
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-K", "utf8", "-man", "-Tutf8", "-ww", "-rLL=80n", page], capture_output=True, text=True, errors="replace")
            check(not done.stderr, f"{page.name}: {done.stderr}")
            check("vidclass" in done.stdout, f"{page.name} is empty")
        if shutil.which("man"):
            done = subprocess.run(["man", "--warnings", "-l", page], env=os.environ | {"MANWIDTH": "80"}, capture_output=True, text=True, errors="replace")
            check(not done.stderr, f"{page.name}: {done.stderr}")
    print(f"manual: {len(pages)} pages")


def check_plugin(install: pathlib.Path, vidclass: pathlib.Path, prefix: pathlib.Path) -> None:
    """The installed program finds the plug-in beside it, and without --mpi there is none."""
    plugin = prefix / "lib/vidclass/libvidclass_mpi.so"
    check(not plugin.exists(), "the plug-in for MPI is installed without --mpi")
    told = output(install, "--mpi", "--binary", vidclass, prefix, MPICC="no-such-mpicc")
    check("no-such-mpicc was not found" in told and not plugin.exists(), f"without an MPI, --mpi says: {told}")
    if shutil.which("mpicc") is None:
        return print("mpicc was not found: the plug-in for MPI is not tried")
    told = output(install, "--mpi", "--binary", vidclass, prefix)
    check(plugin.exists(), told)
    doctor = output(prefix / "bin/vidclass", "doctor", "--json", VIDCLASS_MPI_PLUGIN="")
    found = json.loads(doctor[doctor.index("{"):])["mpi"]
    check(bool(found) and "MPI" in found, f"doctor does not find the plug-in: {doctor}")
    print(f"plug-in: {found}")


def main() -> None:
    parser = environment.parser(__doc__)
    environment.add_program(parser)
    vidclass = parser.parse_args().vidclass
    install = environment.SCRIPTS / "install.sh"
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        prefix = work / "a prefix"
        told = output(install, "--binary", vidclass, prefix)
        check((prefix / "bin/vidclass").exists(), told)
        check(output(prefix / "bin/vidclass", "--version") == output(vidclass, "--version"), "the installed program does not run")
        for name in INSTALLED:
            check((prefix / name).exists() and (prefix / name).stat().st_size > 0, f"{name} is missing")
        check_completions(work, prefix)
        check_manual(prefix / "share/man/man1")
        check_plugin(install, vidclass, prefix)
        output(install, "--uninstall", prefix)
        left = list(prefix.rglob("*"))
        check(not left, f"left behind: {left}")
        # DESTDIR must not show in what is installed.
        package = work / "package"
        output(install, "--binary", vidclass, "/usr", DESTDIR=str(package))
        check(os.access(package / "usr/bin/vidclass", os.X_OK), "DESTDIR is not honoured")
        named = [path for path in (package / "usr/share").rglob("*") if path.is_file() and str(package).encode() in path.read_bytes()]
        check(not named, f"DESTDIR is in {named}")
    if failures:
        sys.exit(f"{len(failures)} checks failed")
    print("no failure")


if __name__ == "__main__":
    main()
