import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct SplitsFileTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    /// Names that need quoting.
    private static let names = [
        "plain.bin", "two words.bin", "a \"quoted\" one.bin", "comma, comma.bin", "emoji 🎬.bin", "line\nbreak.bin", "cr\r\nlf.bin",
        "return\ronly.bin", ",\u{301}accent.bin", "\"\u{301}q.bin", "v_Walk_g01_c01.bin", "v_Walk_g01_c02.bin", "-dash.bin", "%41.bin",
    ]

    private func makeFolder() throws -> String {
        for label in ["walk", "run, \"fast\"\n🏃", "=1+1", "'-x"] {
            for name in SplitsFileTests.names { try box.write("data/\(label)/\(name)") }
        }
        return box("data")
    }

    private func opened(_ path: String, seed: UInt64 = 3) throws -> DataSet {
        try DataSet.open(path, split: .init(seed: seed, validation: 0.3, test: 0.2))
    }

    @Test func everyNameSurvives() throws {
        let folder = try makeFolder()
        let data = try opened(folder)
        try SplitsFile.write(data, to: box("splits.csv"))
        let read = try SplitsFile.read(box("splits.csv"), data: folder)
        #expect(read.entries == data.entries)
        #expect(read.classes == data.classes)
        #expect(read.digest == data.digest)
        #expect(read.findings.notes == [])
        // No spreadsheet runs a name.
        let text = String(decoding: try box.bytes("splits.csv"), as: UTF8.self)
        #expect(text.contains("\n'=1+1/plain.bin,'=1+1,") && text.contains("\n''-x/plain.bin,''-x,"))
        #expect(Set(read.entries.map(\.split)).count == 3)
        #expect(read.entries.contains { $0.group != nil })
    }

    @Test func ofATable() throws {
        for name in ["a.bin", "b.bin", "c.bin", "d.bin"] { try box.write("data/\(name)") }
        let table = try box.write(
            "data/list.csv", text: "path,label,split,group\na.bin,x,train,g\nb.bin,y,train,\nc.bin,x,val,h\n\(box("data/d.bin")),y,test,\n")
        let data = try DataSet.open(table)
        try SplitsFile.write(data, to: box("splits.csv"))
        let read = try SplitsFile.read(box("splits.csv"), data: table)
        // Lines are those of the data's own table.
        var entries = data.entries
        for place in entries.indices { entries[place].place = nil }
        #expect(read.entries == entries)
        #expect(read.entries[3].path == box("data/d.bin"))
    }

    @Test func newClipsAreNotUsedButReported() throws {
        let folder = try makeFolder()
        let data = try opened(folder)
        try SplitsFile.write(data, to: box("splits.csv"))
        try box.write("data/walk/new.bin")
        try box.write("data/another/class.bin")
        let read = try SplitsFile.read(box("splits.csv"), data: folder)
        #expect(read.entries == data.entries)
        #expect(read.findings.notes.count == 1)
        #expect(read.findings.notes.first?.hasPrefix("the data has 2 new clips, for example another/class.bin") == true)
    }

    @Test func aClipThatIsGone() throws {
        let folder = try makeFolder()
        try SplitsFile.write(try opened(folder), to: box("splits.csv"))
        try box.remove("data/walk/plain.bin")
        let error = failure { try SplitsFile.read(box("splits.csv"), data: folder) }
        #expect(error.kind == .missingInput)
        #expect(error.message.contains("walk/plain.bin"))
    }

    @Test func classesOfACheckpoint() throws {
        let folder = try makeFolder()
        let data = try opened(folder)
        try SplitsFile.write(data, to: box("splits.csv"))
        let wider = ["first"] + data.classes
        let read = try SplitsFile.read(box("splits.csv"), data: folder, classes: wider)
        #expect(read.entries.map(\.label) == data.entries.map { $0.label + 1 })
        let error = failure { try SplitsFile.read(box("splits.csv"), data: folder, classes: ["walk", "swim"]) }
        #expect(error.kind == .badData)
        #expect(
            error.message.contains("is not one of the 2 classes") && error.message.hasSuffix("Restore the file as the training wrote it"))
    }

    @Test(arguments: [
        ("", "empty"), ("path,label\n", "expected the header"), ("path,label,split,group\n", "names no clips"),
        ("path,label,split,group\nwalk/plain.bin,walk,train\n", "line 2: expected 4 fields"),
        ("path,label,split,group\nwalk/plain.bin,walk,dev,\n", "line 2: split"),
        ("path,label,split,group\n,walk,train,\n", "line 2: path and label"),
        (
            "path,label,split,group\nwalk/plain.bin,walk,train,\nwalk/plain.bin,walk,val,\n",
            "line 3: walk/plain.bin is already in line 2"
        ),
        ("path,label,split,group\n\"walk/plain.bin,walk,train,\n", "line 2: a quoted field without"),
        ("path,label,split,group\n/etc/passwd,walk,train,\n", "line 2: /etc/passwd leads out of the data folder"),
        ("path,label,split,group\n../../secret,walk,train,\n", "line 2: ../../secret leads out of the data folder"),
        ("path,label,split,group\nwalk/plain.txt,walk,train,\n", "line 2: walk/plain.txt: not a clip"),
        ("path,label,split,group\nwalk/plain.bin,walk,Train,\n", "line 2: split: expected train, val or test, found \"Train\""),
        ("path,label,split,group\nwalk/plain.bin,wa\0lk,train,\n", "line 2: a NUL character"),
    ])
    func damagedTables(text: String, reason: String) throws {
        let folder = try makeFolder()
        let path = try box.write("splits.csv", text: text)
        let error = failure { try SplitsFile.read(path, data: folder) }
        #expect(error.kind == .badData)
        #expect(error.message.contains(reason), "\(error.message)")
        #expect(error.message.hasPrefix(path))
    }
}
