#!/usr/bin/env python3
"""check_guards.py [--together] [--list] [GUARD ...]: a test fails when the guard that it holds is taken away.

Copies the project to .build-guards/project, takes one guard out of the sources there, builds, and runs the test that is said to hold
it (Scripts/guards.json): the test must fail. Then the guard is put back and the next one taken out; each costs a build of the
tests, one to four minutes. --together takes all of them out at once and builds once: quicker, and less sure of which is missed.
First of all the tests must pass with every guard in its place. Exits with 1 where a guard is not missed.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / ".build-guards/project"


def copy():
    """The project as it is now, below COPY; what a former copy built stays."""
    COPY.mkdir(parents=True, exist_ok=True)
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")[:-1]
    for old in ("Sources", "Tests"):
        keep = {name for name in names if name.startswith(old + "/")}
        for path in (COPY / old).rglob("*"):
            if path.is_file() and str(path.relative_to(COPY)) not in keep:
                path.unlink()
    for name in names:
        target = COPY / name
        if (ROOT / name).exists() and not (target.exists() and target.read_bytes() == (ROOT / name).read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)


def build():
    words = ["swift", "build", "-c", "release", "-j", "2", "--product", "vidclassPackageTests"]
    done = subprocess.run(words, cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit("it does not build:\n" + "\n".join(line for line in done.stdout.splitlines() if "error:" in line))


def test(name):
    """How many tests of this name ran, and whether all passed. One that was ended by a signal or came to no end has failed, too."""
    words = ["swift", "test", "-c", "release", "--skip-build", "--filter", name]
    try:
        done = subprocess.run(words, cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300)
    except subprocess.TimeoutExpired:
        return 1, False
    ran = len(re.findall(r"Test (?!run|case).* started", done.stdout))
    return ran, done.returncode == 0


def without(guard):
    path = COPY / guard["file"]
    text = path.read_text()
    if text.count(guard["guard"]) != 1:
        sys.exit(f"{guard['name']}: expected its text once in {guard['file']}, found it {text.count(guard['guard'])} times")
    path.write_text(text.replace(guard["guard"], guard["without"]))
    return path, text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("guard", nargs="*", help="all unless named")
    parser.add_argument("--together", action="store_true", help="take all out at once")
    parser.add_argument("--list", action="store_true", help="print the guards and end")
    options = parser.parse_args()
    guards = json.loads((ROOT / "Scripts/guards.json").read_text())
    unknown = set(options.guard) - {guard["name"] for guard in guards}
    if unknown:
        sys.exit(f"no guard is called {', '.join(sorted(unknown))}; --list prints them")
    guards = [guard for guard in guards if not options.guard or guard["name"] in options.guard]
    if options.list:
        for guard in guards:
            print(f"{guard['name']:24} case {guard['case']:<4} {guard['file']}  {guard['test']}")
        return
    copy()
    build()
    for guard in guards:
        ran, passed = test(guard["test"])
        if ran == 0 or not passed:
            sys.exit(f"{guard['name']}: with the guard in place {guard['test']} {'fails' if ran else 'names no test'}")
    missed = 0
    for batch in [guards] if options.together else [[guard] for guard in guards]:
        before = [without(guard) for guard in batch]
        build()
        for guard in batch:
            failed = not test(guard["test"])[1]
            missed += failed
            print(f"{guard['name']}: {guard['test']} {'fails without it' if failed else 'DOES NOT MISS IT'}", flush=True)
        for path, text in reversed(before):
            path.write_text(text)
    print(f"{missed} of {len(guards)} guards are missed by their tests")
    sys.exit(0 if missed == len(guards) else 1)


if __name__ == "__main__":
    main()
