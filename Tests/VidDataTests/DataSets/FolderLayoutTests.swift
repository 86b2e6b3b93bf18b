import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// Folders as people have them.
@Suite struct FolderLayoutTests {
    private static func open(_ files: [String], classes: [String]? = nil) throws -> DataSet {
        let folder = try DataSetTests.folder(files)
        return try withExtendedLifetime(folder) { try DataSet.open(folder.path, split: .none, classes: classes) }
    }

    /// The splits in other spellings are splits, not classes.
    @Test(arguments: [
        ("Train", "TEST", Split.test), ("training", "validation", .validation), ("TRAIN", "Valid", .validation),
        ("train", "dev", .validation),
        ("Training Set", "test_set", .test), ("train", "testing", .test), ("train", "hold-out", .test), ("trainset", "Eval", .test),
        ("train", "evaluation", .test), ("train-data", "val", .validation),
    ])
    func splitsInOtherSpellings(training: String, other: String, split: Split) throws {
        let data = try FolderLayoutTests.open(["\(training)/cat/1.bin", "\(training)/dog/1.bin", "\(other)/cat/2.bin"])
        #expect(data.classes == ["cat", "dog"] && data.namesSplits)
        #expect(data.counts(of: .train) == [1, 1] && data.counts(of: split) == [1, 0])
        let table = try TableTests.table("path,label,split\n1.bin,cat, \(training)\n2.bin,dog,\(training)\nsub/3.bin,cat,\(other) \n")
        #expect(try DataSet.open(table("data.csv"), split: .none).counts(of: split) == [1, 0])
    }

    /// A listing notes the status of files, but not of what a link leads to, or of a folder of pictures. A table does, too.
    @Test func statusOfFiles() throws {
        let folder = try DataSetTests.folder(["a/1.bin", "b/2.bin", "b/pictures/1.png", "b/pictures/2.png"])
        try FileManager.default.createSymbolicLink(atPath: folder("a/link.bin"), withDestinationPath: "1.bin")
        try FileManager.default.createSymbolicLink(atPath: folder("a/broken.bin"), withDestinationPath: "none.bin")
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.entries.map(\.id) == ["a/1.bin", "a/broken.bin", "a/link.bin", "b/2.bin", "b/pictures"])
        for entry in data.entries {
            let status = ["a/1.bin", "b/2.bin"].contains(entry.id) ? try SystemCall.status(entry.path) : nil
            #expect(entry.status == status, "\(entry.id)")
        }
        let rows = "path,label\na/1.bin,x\nb/2.bin,y\nb/pictures,y\n"
        let table = try folder.write("data.csv", text: rows + "a/link.bin,y\n")
        #expect(try DataSet.open(table, split: .none).entries.map { $0.status != nil } == [true, true, false, false])
        try folder.write("data.csv", text: rows + "a/link.bin,x\n")
        #expect(failure { try DataSet.open(table, split: .none) }.message.contains("is already in line 2, as a/1.bin"))
    }

    /// A training in its own data folder leaves `runs` there.
    @Test func runsInTheDataAreNoClass() throws {
        let data = try FolderLayoutTests.open([
            "a/1.bin", "b/1.bin", "runs/train/config.json", "runs/train/results.csv", "runs/train/x.svg",
        ])
        #expect(data.classes == ["a", "b"])
        #expect(data.findings.notes == ["passed over the folder runs, which holds training runs and no clips"])
    }

    @Test func wordsThatAreNoSplits() throws {
        for name in ["trainer", "tester", "developer", "dataset", "set", "", "train2", "values"] {
            #expect(Split(name: name) == nil, "\(name)")
        }
        // Classes that happen to have such names.
        let data = try FolderLayoutTests.open(["training/1.bin", "testing/1.bin", "swimming/1.bin"])
        #expect(data.classes == ["swimming", "testing", "training"])
        let error = failure { try FolderLayoutTests.open(["Train/1.bin", "test/1.bin"]) }
        #expect(error.message.hasSuffix("found the splits Train, test without class folders in them"), "\(error)")
        let twice = failure { try FolderLayoutTests.open(["Train/a/1.bin", "train/b/1.bin", "test/a/1.bin"]) }
        #expect(twice.message.contains("found two folders for the split \"train\""))
    }

    @Test(arguments: [
        (["UCF-101/run/1.bin", "UCF-101/walk/2.bin", "ucfTrainTestlist/list.txt"], "UCF-101"),
        (["a/b/run/1.bin", "a/b/walk/2.bin", "a/readme.txt"], "a/b"),
        (["set/train/run/1.bin", "set/train/walk/2.bin", "set/test/run/3.bin"], "set"),
    ])
    func wrappingFoldersAreEntered(files: [String], wrapping: String) throws {
        let folder = try DataSetTests.folder(files)
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.classes == ["run", "walk"])
        #expect(data.entries.map(\.id) == files.filter { $0.hasSuffix(".bin") }.sorted())
        #expect(data.entries.allSatisfy { $0.path == folder($0.id) })
        #expect(data.findings.notes.contains("the class folders are in \(wrapping)"), "\(data.findings.notes)")
        #expect(
            data.findings.notes.contains("passed over the folder ucfTrainTestlist, which has no clips")
                == files.contains { $0.hasPrefix("ucf") })
        // A run's own table finds them again.
        let box = try TestFolder()
        try SplitsFile.write(data, to: box("splits.csv"))
        let read = try SplitsFile.read(box("splits.csv"), data: folder.path)
        #expect(read.entries == data.entries && !read.findings.notes.contains { $0.contains("could not look") })
    }

    /// A single folder is not entered if it is, or may be, the folder of a class or a split.
    @Test func foldersThatAreNotEntered() throws {
        for files in [["run/1.bin", "run/a/2.bin", "run/b/3.bin"], ["run/a/2.bin"], ["loose.bin", "x/run/1.bin", "x/walk/1.bin"]] {
            #expect(failure { try FolderLayoutTests.open(files) }.message.contains("expected at least two classes"), "\(files)")
        }
        let pictures = ["run/a/1.png", "run/a/2.png", "run/b/1.png", "run/b/2.png"]
        #expect(failure { try FolderLayoutTests.open(pictures) }.message.contains("expected at least two classes, found only \"run\""))
        let known = try FolderLayoutTests.open(["run/a/1.bin", "run/b/2.bin"], classes: ["run", "walk"])
        #expect(known.entries.map(\.label) == [0, 0])
        let test = try FolderLayoutTests.open(["test/run/1.bin", "test/walk/2.bin"], classes: ["run", "walk"])
        #expect(test.entries.allSatisfy { $0.split == .test })
        #expect(failure { try FolderLayoutTests.open(["test/run/1.bin", "test/walk/2.bin"]) }.message.contains("further down"))
    }

    /// Folders that systems make are passed over at any depth, and so are folders without files.
    @Test func foldersThatArePassedOver() throws {
        let folder = try DataSetTests.folder([
            "a/1.bin", "b/2.bin", "@eaDir/x.mp4", "a/@eaDir/1.bin/preview.mp4", "__MACOSX/a/1.bin", "lost+found/3.bin",
            "System Volume Information/x.bin", "$RECYCLE.BIN/y.bin", "b/deep/#recycle/z.bin",
        ])
        for name in ["empty", "deeper/empty", "hidden"] { try folder.makeFolder(name) }
        try folder.write("hidden/.DS_Store")
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.classes == ["a", "b"] && data.entries.map(\.id) == ["a/1.bin", "b/2.bin"])
        for name in ["empty", "deeper", "hidden"] {
            #expect(data.findings.notes.contains("passed over the empty folder \(name)"), "\(data.findings.notes)")
        }
        #expect(data.findings.notes.contains { $0.hasPrefix("passed over $RECYCLE.BIN and 6 other folders") }, "\(data.findings.notes)")
        #expect(data.otherFilesSummary == nil)
        #expect(try ClipInputs.clips(at: folder.path) == [folder("a/1.bin"), folder("b/2.bin")])

        let splits = try DataSetTests.folder(["train/a/1.bin", "train/b/1.bin", "annotations/a.xml"])
        for name in ["val/a", "test", "train/empty"] { try splits.makeFolder(name) }
        let divided = try DataSet.open(splits.path, split: .init(validation: 0.5))
        #expect(divided.classes == ["a", "b"] && divided.namesSplits)
        #expect(
            divided.findings.notes.contains("passed over the folder annotations, which has no clips")
                && divided.findings.notes.contains("passed over the folder test, which has no clips in class folders")
                && divided.findings.notes.contains("passed over the empty folder train/empty"), "\(divided.findings.notes)")
    }

    /// Where all folders hold the same folders, either may be the classes.
    @Test(arguments: [
        (
            ["cat/train/1.bin", "cat/Test/2.bin", "dog/train/3.bin", "dog/Test/4.bin"],
            "the splits (Test, train) are in the class folders; they are expected above them, as in data/Test/cat"
        ),
        (
            ["fold1/cat/1.bin", "fold1/dog/2.bin", "fold2/cat/x/3.bin", "fold2/dog/4.bin"],
            "every folder holds the same folders (cat, dog); they may be the classes instead of fold1, fold2"
        ),
        (
            ["all/s1/cat/1.bin", "all/s1/dog/2.bin", "all/s2/cat/3.bin", "all/s2/dog/4.bin"],
            "data/all: every folder holds the same folders (cat, dog); they may be the classes instead of s1, s2"
        ),
    ])
    func sameFolders(files: [String], message: String) throws {
        let folder = try DataSetTests.folder(files.map { "data/" + $0 })
        let error = failure { try DataSet.open(folder("data")) }
        #expect(error.kind == .badData && error.message.replacing(folder.path + "/", with: "").contains(message), "\(error)")
        #expect(error.advice.contains { $0.hasPrefix("  (echo path,label") })
    }

    @Test func foldersThatDiffer() throws {
        for files in [
            ["cat/day1/1.bin", "cat/day2/1.bin", "dog/day1/1.bin"], ["cat/videos/1.bin", "dog/videos/1.bin"],
            ["cat/a/1.bin", "cat/b/1.bin", "cat/0.bin", "dog/a/1.bin", "dog/b/1.bin", "dog/0.bin"],
        ] {
            #expect(try FolderLayoutTests.open(files).classes == ["cat", "dog"], "\(files)")
        }
        let known = try FolderLayoutTests.open(["cat/a/1.bin", "cat/b/1.bin", "dog/a/1.bin", "dog/b/1.bin"], classes: ["cat", "dog"])
        #expect(known.entries.count == 4)
    }
}
