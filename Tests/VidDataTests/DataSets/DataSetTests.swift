import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct DataSetTests {
    /// A folder of empty files; opening a data set uses only names.
    static func folder(_ names: [String]) throws -> TestFolder {
        let folder = try TestFolder()
        for name in names { try folder.write(name) }
        return folder
    }

    @Test func foldersPerClass() throws {
        let folder = try DataSetTests.folder([
            "b/2.mp4", "b/1.bin", "a/deep/er/x.npy", "a/y.AVI", "a/.hidden.mp4", ".git/config", "b/notes.txt", "README.md", "stray.mp4",
        ])
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.classes == ["a", "b"])
        #expect(data.entries.map(\.id) == ["a/deep/er/x.npy", "a/y.AVI", "b/1.bin", "b/2.mp4"])
        #expect(data.entries.map(\.label) == [0, 0, 1, 1])
        #expect(data.entries.map(\.path) == data.entries.map { folder($0.id) })
        #expect(data.entries.allSatisfy { $0.split == .train })
        #expect(!data.namesSplits)
        #expect(data.findings.otherFiles == ["README.md", "b/notes.txt", "stray.mp4"])
        #expect(
            data.otherFilesSummary
                == "skipped 3 other files: README.md, b/notes.txt, stray.mp4; 1 of them is a clip outside of the class folders")
    }

    /// Names that do not tell are looked into; files that are not clips are counted and named.
    @Test func clipsByTheirContent() throws {
        let folder = try DataSetTests.folder(["a/1.h264", "a/2.H264", "b/3.hevc"])
        let mp4 = [UInt8]("\0\0\0\u{20}ftypisom".utf8)
        for name in ["b/no extension", "b/2024.05.01", "b/other.xyz", "loose", "loose.xyz"] { try folder.write(name, mp4) }
        try folder.write("b/clip.ts", text: "export const clip = 1;\n")
        try folder.write("b/page.ts", text: "<!DOCTYPE html>")
        try folder.write("b/LICENSE", text: "All rights reserved.\n")
        let data = try DataSet.open(folder.path, split: .none)
        #expect(
            data.entries.map(\.id)
                == ["a/1.h264", "a/2.H264", "b/2024.05.01", "b/3.hevc", "b/no extension", "b/other.xyz", "b/page.ts"])
        #expect(data.findings.otherFiles == ["b/LICENSE", "b/clip.ts", "loose", "loose.xyz"])
        #expect(
            data.otherFilesSummary
                == "skipped 4 other files: b/LICENSE, b/clip.ts, loose and 1 more; 2 of them are clips outside of the class folders")
    }

    @Test func foldersOfSplits() throws {
        let folder = try DataSetTests.folder(["train/a/1.bin", "train/b/1.bin", "validation/a/2.bin", "test/b/3.bin"])
        let data = try DataSet.open(folder.path, split: DataSet.SplitOptions(validation: 0.5, test: 0.4))
        #expect(data.namesSplits)
        #expect(data.classes == ["a", "b"])
        #expect(data.entries(of: .train).map(\.id) == ["train/a/1.bin", "train/b/1.bin"])
        #expect(data.entries(of: .validation).map(\.id) == ["validation/a/2.bin"])
        #expect(data.entries(of: .test).map(\.id) == ["test/b/3.bin"])
        #expect(data.counts(of: .validation) == [1, 0])
    }

    /// A missing validation split is taken from the training split; the test split does not change.
    @Test func aMissingValidationSplit() throws {
        var names: [String] = []
        for label in ["a", "b"] { for n in 0..<10 { names += ["train/\(label)/\(n).bin", "test/\(label)/\(n).bin"] } }
        let folder = try DataSetTests.folder(names)
        let data = try DataSet.open(folder.path)
        #expect(data.counts(of: .train) == [8, 8])
        #expect(data.counts(of: .validation) == [2, 2])
        #expect(data.counts(of: .test) == [10, 10])
        #expect(data.entries(of: .validation).allSatisfy { $0.id.hasPrefix("train/") })
        #expect(try DataSet.open(folder.path, split: .none).counts(of: .validation) == [0, 0])
    }

    @Test func classesWhoseNamesAreSplitsOrOdd() throws {
        let trains = try DataSetTests.folder(["train/1.bin", "bus/1.bin", "a \"b\", c/1.bin", "🐈/1.bin", "-x/1.bin", "new\nline/1.bin"])
        let data = try DataSet.open(trains.path, split: .none)
        #expect(data.classes == ["-x", "a \"b\", c", "bus", "new\nline", "train", "🐈"])
        let mixed = try DataSetTests.folder(["train/a/1.bin", "test/a/1.bin", "extra/a/1.bin"])
        #expect(
            failure { try DataSet.open(mixed.path) }.message.contains(
                "expected only splits (train, val, test) or only classes, found splits and other folders (extra)"))
        let twice = try DataSetTests.folder(["train/a/1.bin", "train/b/1.bin", "val/a/1.bin", "valid/a/1.bin"])
        #expect(failure { try DataSet.open(twice.path) }.message.contains("found two folders for the split \"val\""))
    }

    @Test func whatIsRefused() throws {
        #expect(failure { try DataSet.open("/nowhere/at/all") }.kind == .missingInput)
        let empty = try DataSetTests.folder(["a/1.bin", "c/1.bin", "b/readme.txt"])
        let error = failure { try DataSet.open(empty.path) }
        #expect(error.kind == .badData && error.message.contains("the class \"b\" has no clips"))
        let single = try DataSetTests.folder(["a/1.bin"])
        #expect(failure { try DataSet.open(single.path) }.message.contains("expected at least two classes, found only \"a\""))
        let none = try DataSetTests.folder(["x.txt"])
        #expect(failure { try DataSet.open(none.path) }.message.contains("found no clips"))
        let stranger = try DataSetTests.folder(["train/a/1.bin", "train/b/1.bin", "val/c/1.bin"])
        #expect(
            failure { try DataSet.open(stranger.path) }.message.contains(
                "val/c/1.bin: the label \"c\" is not one of the 2 classes of training (a, b)"))
        let file = try DataSetTests.folder(["a.txt"])
        #expect(failure { try DataSet.open(file("a.txt")) }.message.contains("the table is empty"))
        for options in [
            DataSet.SplitOptions(validation: 1), .init(validation: -0.1), .init(validation: 0.5, test: 0.5), .init(validation: .nan),
        ] {
            #expect(failure { try DataSet.open(empty.path, split: options) }.kind == .badData)
        }
    }

    /// The classes of a checkpoint number the labels; classes may have no clips; unknown labels are refused.
    @Test func givenClasses() throws {
        let folder = try DataSetTests.folder(["test/c/1.bin", "test/a/1.bin"])
        let data = try DataSet.open(folder.path, split: .none, classes: ["a", "b", "c"])
        #expect(data.entries.map(\.label) == [0, 2])
        #expect(data.entries.allSatisfy { $0.split == .test })
        #expect(
            failure { try DataSet.open(folder.path, classes: ["a", "b"]) }.message.contains("the label \"c\" is not one of the 2 classes"))
        let one = try DataSetTests.folder(["a/1.bin"])
        #expect(try DataSet.open(one.path, split: .none, classes: ["a", "b"]).entries.count == 1)
    }

    @Test func linksAndCircles() throws {
        let folder = try DataSetTests.folder(["a/1.bin", "b/1.bin"])
        let elsewhere = try DataSetTests.folder(["x/2.bin"])
        let files = FileManager.default
        try files.createSymbolicLink(atPath: folder("a/loop"), withDestinationPath: folder.path)
        try files.createSymbolicLink(atPath: folder("a/self"), withDestinationPath: ".")
        try files.createSymbolicLink(atPath: folder("b/other"), withDestinationPath: elsewhere("x"))
        try files.createSymbolicLink(atPath: folder("b/broken.mp4"), withDestinationPath: folder("none.mp4"))
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.entries.map(\.id).contains("b/other/2.bin"))
        // A broken link with a clip's name is a bad clip, which is reported when it is opened.
        #expect(data.entries.map(\.id).contains("b/broken.mp4"))
        #expect(data.findings.notes.contains("skipped a/self, a link back to a folder above it"))
        #expect(data.findings.notes.contains("skipped a/loop, a link back to a folder above it"))
        // The link did not add clips of another class.
        #expect(data.entries.map(\.id) == ["a/1.bin", "b/1.bin", "b/broken.mp4", "b/other/2.bin"])
        #expect(
            data.findings.notes.last
                == "followed 1 link that leads out of the data folder, for example b/other to \(Folder.resolved(elsewhere("x")))")
    }

    /// Eighteen folders, each with two links to the next: 2^18 paths to one clip. Each folder is visited once.
    @Test func aBombOfLinks() throws {
        let folder = try DataSetTests.folder(["b/1.bin", "a/1.bin"])
        let elsewhere = try DataSetTests.folder(["18/x.bin"])
        for number in 0..<18 {
            try elsewhere.makeFolder("\(number)")
            for name in ["p", "q"] {
                try FileManager.default.createSymbolicLink(atPath: elsewhere("\(number)/\(name)"), withDestinationPath: "../\(number + 1)")
            }
        }
        try FileManager.default.createSymbolicLink(atPath: folder("a/bomb"), withDestinationPath: elsewhere("0"))
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.entries.count == 3)
        #expect(data.findings.notes.contains { $0.hasPrefix("skipped a/bomb/q, a link to a folder that was already read") })
        #expect(
            data.findings.notes.contains { $0.hasPrefix("followed 37 links that lead out of the data folder") }, "\(data.findings.notes)")
    }
}

@Suite struct TableTests {
    static func table(_ text: String, clips: [String] = ["1.bin", "2.bin", "sub/3.bin", "x.txt"]) throws -> TestFolder {
        let folder = try DataSetTests.folder(clips)
        try folder.write("data.csv", text: text)
        return folder
    }

    @Test func allColumns() throws {
        let folder = try TableTests.table("path,label,split,group\n1.bin,a,train,g\n2.bin,b,train,g\nsub/3.bin,a,test,\n")
        let data = try DataSet.open(folder("data.csv"), split: .none)
        #expect(data.classes == ["a", "b"])
        #expect(data.entries.map(\.id) == ["1.bin", "2.bin", "sub/3.bin"])
        #expect(data.entries.map(\.split) == [.train, .train, .test])
        #expect(data.entries.map(\.group) == ["g", "g", nil])
        #expect(data.entries[2].path == folder("sub/3.bin"))
    }

    /// Quotes, commas, line ends within quotes, CRLF, a byte order mark, empty lines, no line end at the end.
    @Test func quoting() throws {
        let names = ["a, b.bin", "c \"d\".bin", "e\nf.bin", "g.bin"]
        let text = "\u{FEFF}label,path\r\nx,\"a, b.bin\"\r\n\r\n\"y \"\"z\"\"\",\"c \"\"d\"\".bin\"\r\nx,\"e\nf.bin\"\r\n\"y\nz\",g.bin"
        let folder = try TableTests.table(text, clips: names)
        let data = try DataSet.open(folder("data.csv"), split: .none)
        #expect(data.entries.map(\.id) == names)
        #expect(data.entries.map { data.classes[$0.label] } == ["x", "y \"z\"", "x", "y\nz"])
    }

    /// A clip in a table may have any name; what it is not is said with its line.
    @Test func contentOfClipsInATable() throws {
        let folder = try TableTests.table("path,label\n1.bin,a\nclip,b\n")
        #expect(failure { try DataSet.open(folder("data.csv")) }.kind == .missingInput)
        try folder.write("clip", [UInt8]("fLaC\0\0".utf8))
        #expect(try DataSet.open(folder("data.csv"), split: .none).entries.map(\.id) == ["1.bin", "clip"])
        try folder.write("clip", text: "<html>")
        let error = failure { try DataSet.open(folder("data.csv")) }
        #expect(
            error.kind == .badData && error.message.contains("line 3: ") && error.message.contains("not a clip but a web page"), "\(error)")
    }

    @Test(
        arguments: [
            ("", "the table is empty"),
            ("path\n1.bin\n", "line 1: expected the columns path and label, found \"path\""),
            ("path,colour\n1.bin,red\n", "line 1: expected the columns path and label, found \"path,colour\""),
            ("path,filepath,label\n1.bin,1.bin,a\n", "line 1: the columns path and filepath both name the clip; keep one"),
            ("path,label,start\n1.bin,a,1\n", "line 1: expected both columns, start and end, or none"),
            ("path,label,start,end\n1.bin,a,1,x\n", "line 2: end: expected seconds (at most 10^9) or HH:MM:SS.mmm, found \"x\""),
            ("path,label,start,end\n1.bin,a,-1,2\n", "line 2: start: expected seconds"),
            ("path,label,start,end\n1.bin,a,2,\n", "line 2: end: expected seconds"),
            ("path,label,start,end\n1.bin,a,1:61,2:00\n", "line 2: start: expected seconds"),
            ("path,label,start,end\n1.bin,a,2,1\n", "line 2: the end, 1, is before the start, 2"),
            ("path,label,start_frame,end_frame\n1.bin,a,1.5,2\n", "line 2: start_frame: expected the number of a frame, from 0"),
            ("path,label,start,end\n1.bin,a,0,1e308\n", "line 2: end: expected seconds"),
            ("path,label,path\n", "line 1: the column \"path\" appears twice"),
            ("path,label\n1.bin,a\n2.bin\n", "line 3: expected 2 fields as in the header, found 1"),
            ("path,label\n1.bin,\"a\nb\"\n2.bin,c,d\n", "line 4: expected 2 fields as in the header, found 3"),
            ("path,label\n1.bin,\"a\n", "line 2: a quoted field without its closing quote"),
            ("path,label\n1.bin,\"a\"b\n", "line 2: text after a closing quote"),
            ("path,label\n1.bin,a\"b\n", "line 2: a quote within a field that does not start with one"),
            ("path,label\n1.bin,a\rb\n", "line 2: a carriage return without a line feed"),
            ("path,label\n1.bin,a\0b\n", "line 2: a NUL character"),
            ("path,label\n1.bin,\"a\0b\"\n", "line 2: a NUL character"),
            ("path,label\r1.bin,a\r", "line 1: a carriage return without a line feed"),
            ("path,label\n\"1.bin\n2.bin,a\n", "line 2: a quoted field without its closing quote"),
            ("\u{FEFF}\u{FEFF}path,label\n1.bin,a\n", "line 1: expected the columns path and label"),
            ("path|label\n1.bin|a\n", "line 1: expected the columns path and label, found \"path|label\""),
            ("path;label\n1.bin;a;b\n", "line 2: expected 2 fields as in the header, found 3"),
            (String(repeating: "x", count: 100_000) + "\n", "line 1: expected the columns path and label, found \"xxx"),
            (String(repeating: ",", count: 70_000) + "\n", "line 1: more than 65536 fields"),
            ("path,label\n1.bin,\n", "line 2: path and label cannot be empty"),
            ("path,label\nx.txt,a\n", "line 2: x.txt: not a clip"),
            ("path,label\nhttp://host/x.mp4,a\n", "http://host/x.mp4 does not exist"),
            ("path,label\n9.bin,a\n", "9.bin does not exist"),
            ("path,label\n1.bin,a\n1.bin,b\n", "line 3: 1.bin is already in line 2"),
            ("path,label,split\n1.bin,a,trainer\n", "line 2: split: expected train, val or test, found \"trainer\""),
            ("path,label,split\n1.bin,a,val\n", "has no training split"),
            ("path,label\n", "found no clips in this table; no row follows its header"),
        ])
    func refused(text: String, message: String) throws {
        let folder = try TableTests.table(text)
        let error = failure { try DataSet.open(folder("data.csv")) }
        #expect(error.message.hasPrefix(folder("data.csv") + ": ") && error.message.contains(message), "\(error.message)")
        #expect(error.kind == (message.contains("does not exist") ? .missingInput : .badData))
    }

    /// Two names that are equal in Unicode but not in the file system.
    @Test func namesAreComparedByTheirBytes() throws {
        let folder = try TableTests.table("path,label\n\u{E9}.bin,a\ne\u{301}.bin,b\n", clips: ["\u{E9}.bin", "e\u{301}.bin"])
        #expect(try DataSet.open(folder("data.csv"), split: .none).entries.count == 2)
    }

    /// A table has no end mark: if it is cut off anywhere, it is refused or is the beginning of the whole.
    @Test func cutAnywhereItIsRefusedOrItsBeginning() throws {
        let text = "\u{FEFF}path,label\r\n\"a, b.bin\",x\r\n\"c \"\"d\"\".bin\",\"\u{E9}\n\"\r\ne.bin,y\r\n"
        let whole = try CSVTable(Array(text.utf8), path: "whole").records.map(\.fields)
        var refused = 0
        for length in 0..<text.utf8.count {
            do {
                let records = try CSVTable(Array(text.utf8.prefix(length)), path: "cut").records.map(\.fields)
                for (found, expected) in zip(records.dropLast(), whole) { #expect(found == expected, "\(length) bytes") }
                for (found, expected) in zip(records.last ?? [], whole[max(0, records.count - 1)]) {
                    #expect(expected.utf8.starts(with: found.utf8), "\(length) bytes")
                }
            } catch {
                #expect((error as? VidclassError)?.kind == .badData)
                refused += 1
            }
        }
        #expect(refused > text.utf8.count / 3)
    }

    /// The table is refused without being read; the file is sparse.
    @Test func aTableOverTheCapIsRefusedUnread() throws {
        let folder = try TestFolder()
        let path = try folder.write("data.csv", text: "path,label\n")
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.truncate(atOffset: 1 << 30)
        try file.close()
        #expect(failure { try DataSet.open(path) }.message.hasSuffix("has 1073741824 bytes; at most 268435456 are read"))
    }

    /// Found by fuzzing: a first field that begins with a byte order mark lost it.
    @Test(arguments: ["\u{FEFF}a", "\u{FEFF}\u{FEFF}", "a\u{FEFF}", "a,b", "\"", "\r", "\n", "a\"\"b", " a ", ",\u{301}"])
    func whatIsWrittenReadsBack(_ field: String) throws {
        // Strings that differ in bytes may be equal.
        func bytes(_ fields: [String]) -> [[UInt8]] { fields.map { Array($0.utf8) } }
        for fields in [[field, "b"], ["b", field]] {
            let text = CSVText.line(fields) + CSVText.line(fields)
            let table = try CSVTable(Array(text.utf8), path: "table")
            #expect(bytes(table.header) == bytes(fields))
            #expect(table.records.map { bytes($0.fields) } == [bytes(fields)])
        }
    }

    @Test func textThatIsNoUTF8() throws {
        let folder = try TestFolder()
        try folder.write("data.csv", Array("path,label\n1.bin,".utf8) + [0xC3, 0x28, 0x0A])
        #expect(failure { try DataSet.open(folder("data.csv")) }.message.contains("line 2: text that is not valid UTF-8"))
    }
}
