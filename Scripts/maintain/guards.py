"""Checks that a test fails when the guard that it tests is taken out of the sources.

    PYTHONPATH=Scripts python3 -m maintain.guards --list          the guards; fails unless each has one tag and a test
    PYTHONPATH=Scripts python3 -m maintain.guards [--together] [GUARD ...]

A comment `// guard: NAME` in Sources marks the statement after it, and TESTS names the test. Copies the project to
.build-guards/project, takes one guard out there, builds, and runs its test, which must fail; each guard costs a build of the
tests, one to four minutes. --together takes all of them out at once and builds once: quicker, and less sure of which is missed.
At first the tests must pass with every guard in place. Exits with 1 where a guard is not missed.

The marked statement is changed mechanically. The condition of a `guard` becomes always true and that of an `if` always false,
with everything in it still evaluated; any other statement, or a line of a list, is deleted. Where that does not do, the tag
says what to write instead: `// guard: NAME, without: OLD -> NEW` replaces OLD, which must be in the lines below, by NEW.
"""

import pathlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

from . import environment, process

ROOT = environment.REPOSITORY
COPY = ROOT / ".build-guards" / "project"
TAG = re.compile(r"^[ \t]*// guard: ([a-z0-9-]+)(?:, without: (.+?) ->(?: (.*))?)?$", re.MULTILINE)
# How many lines below its tag a guard may take with `without`.
REACH = 6

# The test that misses each guard, as `swift test --filter` takes it.
TESTS = {
    "clip-header-checksum": "ClipFileTests/everyFlippedBitIsFound",
    "npy-header-length": "NumpyFileTests/theFixedPart",
    "tensors-without-holes": "SafetensorsFileTests/refuses",
    "tensor-names-once": "SafetensorsFileTests/refuses",
    "checkpoint-checksum": "CheckpointTests/anyFlippedBitIsRefused",
    "checkpoint-of-this-model": "CheckpointTests/anotherModelIsRefusedWithTheDifferences",
    "exported-numbers": "ExportedFileTests/aFileThatDiffersIsNotKept",
    "zip-checksum": "KerasFileTests/archivesAreReadAsTheyWereWritten",
    "familiarity-of-this-model": "FamiliarityCheckpointTests/otherShapesAreRefused",
    "no-nul-in-table": "TableTests/refused",
    "number-of-json-values": "JSONParserTests/values",
    "nesting-of-json": "JSONParserTests/depth",
    "hdf5-hard-links": "KerasWeightsTests/refuses",
    "redirect-scheme": "WeightsDownloadTests/refusesARedirectToAnotherScheme",
    "order-of-clips": "TrainerStateTests",
    "numbers-of-results": "HostileRunFilesTests/resultsThatAreNone",
    "keys-of-weights": "WeightsLibraryTests/ownFilesAreReadStrictly",
    "length-of-list": "ConfigErrorTests/lists",
    "facts-of-clips": "FactsRecordTests/whatNothingHasFoundIsNotTaken",
    "checksum-of-records": "ContentHashRecordTests/noticesDamage",
    "order-of-records": "ContentHashRecordTests/aTableThatNobodyWrote",
    "checksum-of-a-record": "ContentHashRecordTests/oneDamagedRecord",
    "failing-sync": "AtomicFileTests/failureLeavesTheOldFile",
    "folder-synced-after-renaming": "AtomicFileTests/syncsTheFileThenRenamesThenSyncsTheFolder",
    "temporary-file-removed": "AtomicFileTests/failureLeavesTheOldFile",
    "new-folder-synced-above": "FolderTests/everyFolderWithANewNameIsSynced",
    "state-before-a-damaged-one": "StoppedTrainingTests/aDamagedLastStateFallsBackToTheOneBefore",
    "one-trainer-per-run": "RunFolderTests/twoTrainersOnOneFolderAndOneThatWasKilled",
    "one-watcher-per-file": "WatchCommandTests/aSecondOneIsRefused",
    "lock-not-through-link": "RunFolderTests/linksInARunsFolderAreNotWrittenThrough",
    "weights-not-through-link": "RunFolderTests/linksInARunsFolderAreNotWrittenThrough",
    "finite-values": "ClipFileTests",
    "finite-scores": "PredictOutputTests/noAnswerIsTheSameErrorEverywhere",
    "splits-of-the-training": "ModelChoiceTests/editedSplitsAreRefused",
    "grandchildren-killed": "ChildProcessTests/oneThatEndsAndLeavesOthersBehind",
    "torn-line-of-results": "ResultsFileTests/aTornLastLineIsDroppedAtEveryByte",
    "splits-inside-folder": "linksOutAreFollowedAndSaid",
    "printable-terminal": "HostileNamesTests/noneReachesATerminalOrAPage",
    "reader-that-leaves": "SignalTests/aReaderThatLeavesEndsNoTraining",
    "children-ended-by-signal": "SignalTests/aSignalEndsTheChildren",
    "second-interrupt": "SignalTests/aSecondOneDoesNotWaitForTheStep",
    "links-back-to-data": "DataSetTests/linksAndCircles",
    "hostile-times": "recordsAreReadWithCare",
    "containers-of-videos": "VideoTests/whatIsNoVideo",
    "calls-of-readers": "ReadersTests/whatIsForbiddenEndsTheReaderAndRefusesTheFile",
    "code-of-readers": "ReadersTests/whatIsForbiddenEndsTheReaderAndRefusesTheFile",
    "times-of-readers": "MediaMessageTests/refusedAnswers",
    "damage-of-readers": "MediaMessageTests/refusedAnswers",
}


@dataclass(frozen=True)
class Guard:
    """A tag: its file below the root, the place behind it, and what `without` replaces by what, if anything."""

    name: str
    file: pathlib.Path
    end: int
    old: str | None
    new: str

    def removed(self, text: str) -> str:
        """The file's text without the guard; raises ValueError where the statement is not one that can be changed."""
        start = self.end + 1
        if self.old is not None:
            reach = "".join(text[start:].splitlines(keepends=True)[:REACH])
            if self.old not in reach:
                raise ValueError(f"{self.old!r} is not in the {REACH} lines below the tag")
            return text[:start] + reach.replace(self.old, self.new, 1) + text[start + len(reach):]
        keyword = re.compile(r"\s*(guard|if)\b").match(text, start)
        if not keyword:
            end = statement_end(text, start)
            return text[:start] + text[end:]
        begin = keyword.end()
        if text[begin:].lstrip().startswith("(") and self.file.suffix in (".c", ".h"):
            end = closing(text, text.index("(", begin))
            return f"{text[:begin]} ({text[begin:end]} && 0){text[end:]}"
        end = condition_end(text, begin, "else" if keyword[1] == "guard" else "{")
        if keyword[1] == "if":
            return f"{text[:end].rstrip()}, false {text[end:]}"
        clauses = [clause.strip() for clause in split(text[begin:end])]
        if any(re.match(r"(let|var|case)\b", clause) for clause in clauses):
            raise ValueError("a guard that binds names needs `without`")
        return f"{text[:begin]} {', '.join(f'({clause}) || true' for clause in clauses)} {text[end:]}"


def scan(text: str, start: int):
    """(place, character, depth of brackets before it) outside of strings and comments, from `start` on."""
    at, depth = start, 0
    while at < len(text):
        skipped = re.compile(r'//[^\n]*|/\*.*?\*/|"""(?s:.*?)"""|"(?:\\.|[^"\\\n])*"').match(text, at)
        if skipped:
            at = skipped.end()
            continue
        yield at, text[at], depth
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1


def statement_end(text: str, start: int) -> int:
    """The place behind the line at whose end all brackets are closed."""
    return next((at + 1 for at, character, depth in scan(text, start) if character == "\n" and depth == 0), len(text))


def condition_end(text: str, start: int, ending: str) -> int:
    """The place of the `else` or `{` behind a condition."""
    for at, _, depth in scan(text, start):
        if depth == 0 and text.startswith(ending, at):
            return at
    raise ValueError("its condition does not end")


def closing(text: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`."""
    return next(at + 1 for at, character, depth in scan(text, start) if character in ")]}" and depth == 1)


def split(text: str) -> list[str]:
    """The parts between the commas that are in no bracket."""
    commas = [at for at, character, depth in scan(text, 0) if character == "," and depth == 0]
    return [text[begin + 1:end] for begin, end in zip([-1, *commas], [*commas, len(text)])]


def guards_of(root: pathlib.Path) -> list[Guard]:
    """Every tag in the sources."""
    found = []
    for path in sorted((root / "Sources").rglob("*")):
        if path.suffix in (".swift", ".c", ".h"):
            found += [Guard(tag[1], path.relative_to(root), tag.end(), tag[2], tag[3] or "") for tag in TAG.finditer(path.read_text())]
    return found


def complaints(guards: list[Guard]) -> list[str]:
    """What is wrong with tags, table and tests' names."""
    names = [guard.name for guard in guards]
    found = [f"{name}: no tag in Sources" for name in TESTS if name not in names]
    found += [f"{name}: {names.count(name)} tags in Sources" for name in sorted(set(names)) if names.count(name) > 1]
    found += [f"{guard.name}: {guard.file} has its tag, maintain/guards.py no test" for guard in guards if guard.name not in TESTS]
    for guard in guards:
        try:
            guard.removed((ROOT / guard.file).read_text())
        except ValueError as error:
            found.append(f"{guard.name}: {guard.file}: {error}")
    tests = "\n".join(path.read_text() for path in sorted((ROOT / "Tests").rglob("*.swift")))
    for name, test in TESTS.items():
        for part in test.split("/"):
            if not re.search(rf"\b(struct|class|func|enum|extension) {part}\b", tests):
                found.append(f"{name}: there is no test {part}")
    return found


def copy() -> None:
    """Brings COPY up to date with the project; what a former copy built stays."""
    COPY.mkdir(parents=True, exist_ok=True)
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")[:-1]
    for old in ("Sources", "Tests"):
        kept = {name for name in names if name.startswith(old + "/")}
        for path in (COPY / old).rglob("*"):
            if path.is_file() and str(path.relative_to(COPY)) not in kept:
                path.unlink()
    for name in names:
        target = COPY / name
        if (ROOT / name).exists() and not (target.exists() and target.read_bytes() == (ROOT / name).read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)


def test(name: str) -> tuple[int, bool]:
    """How many tests of this name ran, and whether all passed. A test that is ended by a signal or hangs has failed, too."""
    words = ["swift", "test", "-c", "release", "--skip-build", "--filter", name]
    try:
        done = subprocess.run(words, cwd=COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300)
    except subprocess.TimeoutExpired:
        return 1, False
    return len(re.findall(r"Test (?!run|case).* started", done.stdout)), done.returncode == 0


def remove(guards: list[Guard]) -> None:
    """Takes guards out of the copy; of several in one file the last comes first, so that places stay right."""
    for guard in sorted(guards, key=lambda guard: -guard.end):
        path = COPY / guard.file
        path.write_text(guard.removed(path.read_text()))


def main() -> None:
    parser = environment.parser(__doc__)
    parser.add_argument("guard", nargs="*", help="all unless named")
    parser.add_argument("--together", action="store_true", help="take all out at once")
    parser.add_argument("--list", action="store_true", help="print the guards, check tags and tests' names, and end")
    options = parser.parse_args()
    guards = guards_of(ROOT)
    if wrong := complaints(guards):
        sys.exit("\n".join(wrong))
    if unknown := set(options.guard) - TESTS.keys():
        sys.exit(f"no guard is called {', '.join(sorted(unknown))}; --list prints them")
    if options.list:
        for guard in guards:
            print(f"{guard.name:28} {guard.file}  {TESTS[guard.name]}")
        return
    guards = [guard for guard in guards if not options.guard or guard.name in options.guard]
    copy()
    process.build("vidclassPackageTests", folder=COPY)
    for guard in guards:
        ran, passed = test(TESTS[guard.name])
        if ran == 0 or not passed:
            sys.exit(f"{guard.name}: with the guard in place {TESTS[guard.name]} {'fails' if ran else 'names no test'}")
    missed = 0
    for batch in [guards] if options.together else [[guard] for guard in guards]:
        before = {guard.file: (COPY / guard.file).read_text() for guard in batch}
        remove(batch)
        process.build("vidclassPackageTests", folder=COPY)
        for guard in batch:
            failed = not test(TESTS[guard.name])[1]
            missed += failed
            print(f"{guard.name}: {TESTS[guard.name]} {'fails without it' if failed else 'DOES NOT MISS IT'}", flush=True)
        for file, text in before.items():
            (COPY / file).write_text(text)
    print(f"{missed} of {len(guards)} guards are missed by their tests")
    sys.exit(0 if missed == len(guards) else 1)


if __name__ == "__main__":
    main()
