import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// Labels as people type them.
@Suite struct LabelSpellingTests {
    private static func table(_ labels: [String]) throws -> TestFolder {
        try TableTests.table(
            "path,label\n" + labels.enumerated().map { "\($0).bin,\"\($1)\"\n" }.joined(), clips: labels.indices.map { "\($0).bin" })
    }

    @Test func labelsAreTrimmed() throws {
        let spellings = [
            "dog", "dog ", " dog", "dog\t", "\u{A0}dog\u{3000}", "\u{200B}dog\u{FEFF}", "dog\u{2060}\n", "\u{2009}dog\u{200D}",
        ]
        let folder = try LabelSpellingTests.table(["cat", "caf\u{E9}", "cafe\u{301} "] + spellings)
        let data = try DataSet.open(folder("data.csv"), split: .none)
        #expect(data.classes.map { Array($0.utf8) } == ["caf\u{E9}", "cat", "dog"].map { Array($0.utf8) })
        #expect(data.counts(of: .train) == [2, 1, spellings.count])
        #expect(data.findings.notes == [])
        let blank = try LabelSpellingTests.table(["cat", " \u{A0}"])
        #expect(failure { try DataSet.open(blank("data.csv")) }.message.contains("cannot be empty"))
    }

    /// Folders in both normalization forms, and with spaces, are one class; their paths keep their bytes.
    @Test func foldersOfOneClass() throws {
        let folder = try DataSetTests.folder(["caf\u{E9}/1.bin", "cafe\u{301}/v_x_g01_c01.bin", "caf\u{E9} /v_x_g01_c02.bin", "tea/4.bin"])
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.classes.map { Array($0.utf8) } == ["caf\u{E9}", "tea"].map { Array($0.utf8) })
        #expect(data.counts(of: .train) == [3, 1])
        #expect(data.entries.allSatisfy { FileManager.default.fileExists(atPath: $0.path) })
        #expect(Set(data.entries.compactMap(\.group)).count == 1)
        let blank = try DataSetTests.folder([" /1.bin", "a/1.bin"])
        #expect(failure { try DataSet.open(blank.path) }.message.contains("has only spaces"))
    }

    @Test(arguments: [
        ["Dog", "dog"], ["guide dog", "guide\u{A0}dog"], ["guide_dog", "guide-dog"], ["guide  dog", "Guide Dog"],
        ["guidedog", "guide dog"],
        ["a\u{200B}b", "ab"],
    ])
    func similarLabelsAreReported(pair: [String]) throws {
        let folder = try LabelSpellingTests.table([pair[0], pair[1], pair[1], "cat"])
        let data = try DataSet.open(folder("data.csv"), split: .none)
        #expect(data.classes.count == 3)
        let notes = data.findings.notes
        #expect(notes.count == 1 && notes[0].contains("\" (1 clip)") && notes[0].contains("(2 clips)"), "\(notes)")
        #expect(notes[0].contains("are 2 classes. If they mean the same, write \"") && notes[0].hasSuffix("\" for both"))
        #expect(notes[0].utf8.allSatisfy { $0 < 0x80 }, "\(notes)")
        #expect(!notes[0].contains("write \"guide\\u"), "an unusual space is not what to write: \(notes)")
        let known = try DataSet.open(folder("data.csv"), split: .none, classes: data.classes)
        #expect(known.classes == data.classes)
    }

    @Test func labelsThatDiffer() throws {
        let folder = try LabelSpellingTests.table(["1-2", "12", "-1", "1", "cat", "cut", "a1", "a2"])
        #expect(try DataSet.open(folder("data.csv"), split: .none).findings.notes == [])
    }

    @Test func similarFolders() throws {
        let folder = try DataSetTests.folder(["data/Dog/1.bin", "data/dog/2.bin", "data/dog/3.bin"])
        let notes = try DataSet.open(folder("data"), split: .none).findings.notes
        #expect(notes.count == 1 && notes[0].hasSuffix("move the clips of \(folder("data/Dog")) into \(folder("data/dog"))"), "\(notes)")
    }

    /// Checkpoints and tables of runs from before labels were trimmed.
    @Test func untrimmedClassesOfEarlierRuns() throws {
        let folder = try DataSetTests.folder(["0.bin", "1.bin", "2.bin"])
        try folder.write("data.csv", text: "path,label\n0.bin,cat\n1.bin,\"dog \"\n2.bin,dog\n")
        let splits = try folder.write(
            "run/splits.csv", text: "path,label,split,group\n0.bin,cat,train,\n1.bin,dog ,train,\n2.bin,dog,val,\n")
        // Both labels were classes.
        let both = try SplitsFile.read(splits, data: folder("data.csv"), classes: ["cat", "dog", "dog "])
        #expect(both.classes == ["cat", "dog", "dog "] && both.entries.map(\.label) == [0, 2, 1])
        // New data finds the class without the space.
        let now = try DataSet.open(folder("data.csv"), split: .none, classes: ["cat", "dog", "dog "])
        #expect(now.entries.map(\.label) == [0, 1, 1])
        let untrimmed = try DataSet.open(folder("data.csv"), split: .none, classes: ["cat", "dog "])
        #expect(untrimmed.entries.map(\.label) == [0, 1, 1] && untrimmed.classes == ["cat", "dog "])
        let read = try SplitsFile.read(splits, data: folder("data.csv"), classes: ["cat", "dog "])
        #expect(read.entries.map(\.label) == [0, 1, 1])
        // A run that was stopped before its first checkpoint.
        let fresh = try SplitsFile.read(
            folder.write("run/fresh.csv", text: "path,label,split,group\n0.bin,cat,train,\n1.bin,dog ,train,\n"), data: folder("data.csv"))
        #expect(fresh.classes == ["cat", "dog "])
    }

    /// The same file under the same label is a repeat, however its path is spelt; parts of one file are clips of their own.
    @Test(arguments: ["./1.bin", "sub/../1.bin", "ABSOLUTE", "link.bin", "hard.bin"]) func repeatedFiles(_ spelling: String) throws {
        let folder = try DataSetTests.folder(["1.bin", "2.bin", "sub/3.bin"])
        try FileManager.default.createSymbolicLink(atPath: folder("link.bin"), withDestinationPath: "1.bin")
        try FileManager.default.linkItem(atPath: folder("1.bin"), toPath: folder("hard.bin"))
        let path = spelling == "ABSOLUTE" ? folder("1.bin") : spelling
        try folder.write("data.csv", text: "path,label\n1.bin,a\n2.bin,b\n\(path),a\n")
        let error = failure { try DataSet.open(folder("data.csv")) }
        #expect(
            error.kind == .badData && error.message.hasSuffix("line 4: \(path) is already in line 2, as 1.bin; remove one of the lines"))
        // Under another label or in another split it is left to the check of the clips.
        for row in ["\(path),b,train", "\(path),a,val"] {
            try folder.write("data.csv", text: "path,label,split\n1.bin,a,train\n2.bin,b,train\n\(row)\n")
            #expect(try DataSet.open(folder("data.csv"), split: .none).entries.map(\.place) == ["line 2", "line 3", "line 4"])
        }
    }

    /// The first line that repeats another one is the one that is reported, whatever it repeats.
    @Test func theFirstRepeatIsReported() throws {
        let folder = try DataSetTests.folder(["1.bin", "2.bin", "3.bin"])
        try folder.write("data.csv", text: "path,label\n1.bin,a\n2.bin,b\n./2.bin,b\n1.bin,a\n")
        #expect(failure { try DataSet.open(folder("data.csv")) }.message.contains("line 4: ./2.bin is already in line 3, as 2.bin"))
        try folder.write("data.csv", text: "path,label\n1.bin,a\n2.bin,b\n1.bin,a\n./2.bin,b\n")
        #expect(failure { try DataSet.open(folder("data.csv")) }.message.contains("line 4: 1.bin is already in line 2"))
    }

    @Test func theSamePathUnderTwoLabels() throws {
        let folder = try TableTests.table("path,label\n1.bin,a\n1.bin,b\n")
        #expect(
            failure { try DataSet.open(folder("data.csv")) }.message.hasSuffix(
                "line 3: 1.bin is already in line 2, with the label \"a\" instead of \"b\"; remove one of the lines"))
    }
}
