"""Tries the packages of Scripts/package.sh in clean systems: installs, runs doctor, trains, predicts, and removes without a trace.

    PYTHONPATH=Scripts python3 -m maintain.packages [--packages FOLDER] [--suite SUITE] [--build SWIFT] [--mirror URL] [--base FOLDER]

Makes a Debian with debootstrap (as root; it needs the mirror), of the release on which the packages were made, and tries in copies of it

- the .deb, installed by the steps of the Containerfile: doctor finds every library, the smoke training learns, a video is read, weights are
  downloaded from a server of this script, and after the removal each file is as it was before
- the .tar.gz, unpacked: the program starts without any library of its own, doctor names the packages that are missing, and with these it does
  the same; after the folder is deleted nothing is left

With --build it makes the packages first, by the steps of the Containerfile, in a copy of that Debian with the Swift toolchain of this machine.
At the end it measures the program's size and start (`vidclass --version`). Ends with 1 if a check fails.
"""

import http.server
import json
import os
import pathlib
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from . import environment

MIRROR = "http://deb.debian.org/debian"
# What the image swift:6.3-bookworm has besides the toolchain.
SWIFT_NEEDS = "binutils ca-certificates git libc6-dev libcurl4-openssl-dev libedit2 libgcc-$D-dev libncurses6 libstdc++-$D-dev libxml2 tzdata"
LARGEST_PROGRAM, SLOWEST_START = 40_000_000, 15.0
# What package management itself writes.
OWN = re.compile(r"^\./(var/lib/(dpkg|apt)|var/cache|var/log|proc|sys|dev|tmp|run|packages|etc/ld\.so\.cache)(/|$)")
failures: list[str] = []


def check(is_good: bool, fault: str) -> None:
    if not is_good:
        print(f"FAILED: {fault}", file=sys.stderr)
        failures.append(fault)


class System:
    """A Debian below a folder, in which commands run as in a container: with its own mounts and processes, and this machine's network."""

    def __init__(self, folder: pathlib.Path, swift: pathlib.Path | None = None):
        """With `swift`, this machine's toolchain is in /opt/swift."""
        self.folder, self.swift = folder, swift

    def run(self, command: str, is_required: bool = True) -> str:
        """Standard output of a shell's command line, which must end with 0 if it is required."""
        toolchain = f"mkdir -p opt/swift && mount --bind {shlex.quote(str(self.swift))} opt/swift && " if self.swift else ""
        inside = (f"{toolchain}mount -t proc proc proc && mount --rbind /dev dev && mount -t tmpfs tmpfs tmp && exec chroot . /usr/bin/env -i "
                  f"HOME=/root PATH={'/opt/swift/usr/bin:' if self.swift else ''}/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive /bin/sh -ec {shlex.quote(command)}")
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--propagation", "private", "sh", "-ec", inside], cwd=self.folder,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        if is_required and done.returncode != 0:
            sys.exit(f"FAILED with {done.returncode}: {command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done.stdout if is_required else f"{done.stdout}{done.stderr}status {done.returncode}\n"

    def files(self) -> dict[str, str]:
        """Kind, permissions, size, time and target of each file that package management does not write itself."""
        lines = self.run(r"find . -xdev -printf '%p\t%y %m %U:%G %s %l\n'").splitlines()
        found = dict(line.split("\t", 1) for line in lines)
        # The size of a folder depends on what was in it before.
        return {path: re.sub(r"^(d \S+ \S+) \d+", r"\1", facts) for path, facts in found.items() if not OWN.match(path)}


def copy(base: pathlib.Path, folder: pathlib.Path) -> System:
    subprocess.run(["cp", "-a", "--reflink=auto", base, folder], check=True)
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    return System(folder)


def release_of_this_machine() -> str:
    return re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.MULTILINE)[1]


def steps(stage: int) -> list[str]:
    """The commands of a stage of the Containerfile: 1 builds, 2 installs."""
    stages = re.split(r"^FROM ", (environment.REPOSITORY / "Containerfile").read_text(), flags=re.MULTILINE)
    found = re.findall(r"^RUN (.+)$", stages[stage], re.MULTILINE)
    check(len(stages) == 3 and len(found) == 1, "this script does not understand the Containerfile")
    return found


def build(base: pathlib.Path, work: pathlib.Path, swift: pathlib.Path) -> pathlib.Path:
    """Makes the packages as the Containerfile does, and returns their folder."""
    system = copy(base, work / "build")
    system.swift = swift
    source = system.folder / "source"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=environment.REPOSITORY, check=True, stdout=subprocess.PIPE).stdout
    source.mkdir()
    subprocess.run(["cp", "-a", "--parents", *tracked.decode().strip("\0").split("\0"), ".git", source], cwd=environment.REPOSITORY, check=True)
    # What swift build has downloaded here is not downloaded again.
    (source / ".build").mkdir()
    for name in ("checkouts", "repositories", "workspace-state.json"):
        subprocess.run(["cp", "-a", environment.REPOSITORY / ".build" / name, source / ".build"], check=True)
    shutil.copy(environment.REPOSITORY / "Package.resolved", source)
    print(f"building in {system.run('. /etc/os-release; echo $PRETTY_NAME').strip()}", flush=True)
    system.run("apt-get update -qq")
    version = system.run("apt-cache depends gcc | sed -n 's/.*Depends: gcc-//p' | head -n 1").strip()
    # The linker gold, where Debian has it in a package of its own.
    system.run("apt-get install -y -qq --no-install-recommends " + SWIFT_NEEDS.replace("$D", version)
               + " $(apt-cache pkgnames binutils-gold | grep -x binutils-gold)")
    for step in steps(1):
        # Both packages, and not only the .deb.
        system.run("cd /source && " + step.replace("--deb ", ""))
    return system.folder / "packages"


def use(system: System, program: str, configs: str, video: pathlib.Path) -> None:
    """What a user does first, in /work of the system, which is deleted afterwards."""
    folder = system.folder / "work"
    folder.mkdir()
    shutil.copy(video, folder / "video.mp4")
    environment_of = "cd /work && export XDG_CACHE_HOME=/work/cache &&"
    facts = json.loads(system.run(f"{environment_of} {program} doctor --json"))
    missing = [name for name in ("libav", "hdf5", "cairo", "libcurl") if facts[name] is None]
    check(not missing, f"doctor does not find {missing}")
    warnings = [text for text in facts["warnings"] if not re.search("weights|ffmpeg was not found|threads|memory|processors|MPI", text)]
    check(not warnings, f"doctor warns: {warnings}")
    print(f"  doctor: {facts['libav']}, HDF5 {facts['hdf5']}, cairo {facts['cairo']}, libcurl {facts['libcurl']}")
    system.run(f"{environment_of} {program} synth data/synth --clips-per-class 100 --frames 8 --rows 32 --columns 32")
    system.run(f"{environment_of} {program} train --config {configs}/smoke.json --quiet")
    measured = json.loads(system.run(f"{environment_of} {program} eval --json"))
    check(measured["categorical_accuracy"] >= 0.95, f"the smoke training reaches only {measured['categorical_accuracy']}")
    check((folder / "runs/smoke/report.html").stat().st_size > 10_000, "there is no report")
    told = json.loads(system.run(f"{environment_of} {program} predict video.mp4 --json"))
    told = told[0] if isinstance(told, list) else told
    check(len(told["predictions"]) == 4 and abs(sum(one["score"] for one in told["predictions"]) - 1) < 1e-5, f"predict says {told}")
    print(f"  smoke training: accuracy {measured['categorical_accuracy']}; a video is predicted")
    check_download(system, f"{environment_of} {program}")
    shutil.rmtree(folder)


class NothingHere(http.server.BaseHTTPRequestHandler):
    """A server without any file."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *words) -> None:
        pass


def check_download(system: System, program: str) -> None:
    """libcurl reaches a server: it has no such file, and says so."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NothingHere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told = system.run(f"export VIDCLASS_WEIGHTS_URL=http://127.0.0.1:{server.server_port} && {program} weights fetch vgg16", is_required=False)
    server.shutdown()
    check("the server answers 404" in told and "status 74" in told, f"weights fetch says {told}")


def compare(before: dict[str, str], after: dict[str, str], what: str) -> None:
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    for path in changed[:20]:
        print(f"  {path}: {before.get(path, 'was not there')} -> {after.get(path, 'is gone')}", file=sys.stderr)
    check(not changed, f"{what} leaves {len(changed)} changed files behind")
    print(f"  {what}: {len(before)} files and folders as before")


def try_deb(base: pathlib.Path, work: pathlib.Path, packages: pathlib.Path, video: pathlib.Path) -> None:
    package, = packages.glob("vidclass_*.deb")
    system = copy(base, work / "deb")
    print(f"{package.name} in {system.run('. /etc/os-release; echo $PRETTY_NAME').strip()}")
    # The libraries first: what remains of them is not ours.
    depends = subprocess.run(["dpkg-deb", "--field", package, "Depends"], check=True, stdout=subprocess.PIPE, text=True).stdout
    system.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends " + shlex.join(re.findall(r"(?:^|, )([a-z0-9.+-]+)", depends)))
    before = system.files()
    folder = system.folder / "packages"
    folder.mkdir()
    shutil.copy(package, folder)
    for step in steps(2):
        system.run(step)
    shown = system.run("vidclass --version").strip()
    check(re.fullmatch(r"[0-9.]+ \(commit [0-9a-f]{12}(-dirty)?\)", shown) is not None, f"--version says {shown}")
    check(system.run("dpkg --verify vidclass") == "", "dpkg --verify finds changed files")
    use(system, "vidclass", "/usr/share/vidclass", video)
    check(system.run("dpkg --verify vidclass") == "", "dpkg --verify finds changed files after use")
    system.run("apt-get purge -y -qq vidclass")
    compare(before, system.files(), "installing, using and removing the .deb")


def try_tar(base: pathlib.Path, work: pathlib.Path, packages: pathlib.Path, video: pathlib.Path) -> None:
    archive, = packages.glob("vidclass-*.tar.gz")
    system = copy(base, work / "tar")
    print(archive.name)
    subprocess.run(["tar", "-xzf", archive, "--no-same-owner", "-C", system.folder / "opt"], check=True)
    # Wherever it is.
    (system.folder / "srv/a place").mkdir()
    unpacked = system.folder / "opt" / archive.name.removesuffix(".tar.gz")
    unpacked.rename(system.folder / "srv/a place/vidclass")
    program = "'/srv/a place/vidclass/bin/vidclass'"
    print(f"  {system.run(program + ' --version').strip()}, with no library but those of a minimal system")
    facts = json.loads(system.run(f"XDG_CACHE_HOME=/tmp {program} doctor --json"))
    check(all(facts[name] is None for name in ("libav", "hdf5", "cairo", "libcurl")), "the minimal system has libraries of its own")
    named = [text for text in facts["warnings"] if "apt-get install" in text]
    check(all(any(package in text for text in named) for package in facts["packages"]), f"doctor does not name {facts['packages']}: {named}")
    print(f"  doctor names what is missing: {' '.join(facts['packages'])}")
    system.run("apt-get update -qq && apt-get install -y -qq --no-install-recommends " + shlex.join(facts["packages"]))
    before = system.files()
    use(system, program, "'/srv/a place/vidclass/share/vidclass'", video)
    after = system.files()
    compare(before, after, "using the unpacked program")


def measure(packages: pathlib.Path, work: pathlib.Path, runs_here: bool) -> None:
    """The size of the program and, if it runs here, the time of its start on this machine."""
    archive, = packages.glob("vidclass-*.tar.gz")
    subprocess.run(["tar", "-xzf", archive, "-C", work], check=True)
    program, = work.glob("vidclass-*/bin/vidclass")
    size = program.stat().st_size
    print(f"the program: {size / 1e6:.1f} MB; "
          f"packages: {', '.join(f'{path.name} {path.stat().st_size / 1e6:.1f} MB' for path in sorted(packages.iterdir()))}")
    check(size <= LARGEST_PROGRAM, f"the program has {size} bytes, more than {LARGEST_PROGRAM}")
    if not runs_here:
        print("its start is measured on the release of Debian that it was built for")
        return
    times = start_times(program)
    print(f"its start: median {statistics.median(times):.1f} ms, shortest {min(times):.1f} ms")
    check(statistics.median(times) <= SLOWEST_START, f"the start takes {statistics.median(times):.1f} ms, not {SLOWEST_START}")


def start_times(program: pathlib.Path) -> list[float]:
    """Milliseconds of forty starts by the clock, before all other programs that are running."""
    usual = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        times = []
        for _ in range(40):
            start = time.perf_counter()
            subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL)
            times.append(1000 * (time.perf_counter() - start))
    finally:
        os.sched_setscheduler(0, *usual)
    return times


def make_video(path: pathlib.Path) -> None:
    subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=8:duration=2", "-pix_fmt", "yuv420p", path],
                   check=True)


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("--packages", type=pathlib.Path, metavar="FOLDER", default=environment.REPOSITORY / ".build" / "packages",
                        help="the folder of the packages (default: .build/packages)")
    parser.add_argument("--suite", default=release_of_this_machine(), help="the release of Debian (default: this machine's)")
    parser.add_argument("--build", type=pathlib.Path, metavar="SWIFT", help="make the packages first, with the toolchain in this folder (/opt/swift)")
    parser.add_argument("--mirror", default=MIRROR, help=f"where debootstrap gets it (default: {MIRROR})")
    parser.add_argument("--base", type=pathlib.Path, metavar="FOLDER", help="keep the clean system in this folder, or use the one there")
    words = parser.parse_args()
    for name in ("debootstrap", "unshare", "ffmpeg"):
        if shutil.which(name) is None:
            sys.exit(f"error: {name} was not found; install it: apt-get install {name}")
    with tempfile.TemporaryDirectory(prefix="vidclass-packages-") as folder:
        work = pathlib.Path(folder)
        base = words.base or work / "base"
        if not (base / "etc/os-release").exists():
            print(f"making a Debian {words.suite} in {base}", flush=True)
            subprocess.run(["debootstrap", "--variant=minbase", words.suite, base, words.mirror], check=True, stdout=subprocess.DEVNULL)
        video = work / "video.mp4"
        make_video(video)
        packages = build(base, work, words.build) if words.build else words.packages
        try_deb(base, work, packages, video)
        try_tar(base, work, packages, video)
        measure(packages, work, runs_here=words.suite == release_of_this_machine())
    if failures:
        sys.exit(f"{len(failures)} checks failed")
    print("no failure")


if __name__ == "__main__":
    main()
