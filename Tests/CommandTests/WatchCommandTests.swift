import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// `vidclass predict --watch`: clips that come into a folder, through kills, restarts and other mishaps.
@Suite struct WatchCommandTests {
    private let box: TestFolder
    private let clips: [[UInt8]]

    init() throws {
        box = try TestFolder()
        let trained = try TrainedModel.folder()
        try FileManager.default.copyItem(atPath: trained("runs"), toPath: box("runs"))
        let label = try #require(try trained.names("data").first { !$0.hasPrefix(".") })
        clips = try (0..<4).map { try trained.bytes("data/\(label)/00\($0).bin") }
        try box.makeFolder("in")
    }

    private static func words(_ others: [String] = []) -> [String] {
        ["predict", "--watch", "in", "--output", "out.csv", "--settle", "0.3", "--threads", "1"]
            + ["--checkpoint", "runs/train/weights/best.safetensors"] + others
    }

    private func start(_ others: String...) throws -> Process { try CommandLineTool.start(Self.words(others), in: box.path) }

    private func table() throws -> [[String]] { try CSVTable(try box.bytes("out.csv"), path: "out.csv").records.map(\.fields) }

    private func wait(_ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool) throws {
        for _ in 0..<3000 {
            if (try? condition()) == true { return }
            usleep(10_000)
        }
        Issue.record("\(what) did not come", sourceLocation: sourceLocation)
    }

    private func waitForRows(_ count: Int) throws { try wait("\(count) rows") { try table().count >= count } }

    private func stop(_ process: Process, _ number: Int32 = SIGINT) {
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        #expect(number == SIGKILL || process.terminationReason == .exit && process.terminationStatus == 128 + number)
    }

    /// Each clip once, in folders below too, with the rows of a prediction by its name; hidden and unfinished files are passed over.
    @Test func eachOnce() throws {
        try box.write("in/a.bin", clips[0])
        for name in [".hidden.bin", "b.bin.part", "c.tmp", "notes.txt"] { try box.write("in/\(name)", clips[1]) }
        let process = try start()
        try waitForRows(1)
        try box.write("in/below/=b.bin", clips[1])
        // By a temporary name and a renaming.
        try box.write("in/c.tmp", clips[2])
        try FileManager.default.moveItem(atPath: box("in/c.tmp"), toPath: box("in/=c.bin"))
        try waitForRows(3)
        usleep(800_000)
        stop(process)
        let rows = try table()
        #expect(rows.map { $0[0] }.sorted() == ["=c.bin", "a.bin", "below/=b.bin"])
        let named = try CSVTable(
            Array(try box.succeed("predict", "in/a.bin", "in/below/=b.bin", "in/=c.bin", "--format", "csv").output.utf8), path: "named")
        for row in rows {
            let expected = try #require(named.records.first { $0.fields[0] == "in/" + row[0] })
            #expect(Array(row[1..<8]) == Array(expected.fields[1...]))
            let size = try SystemCall.status(box("in/" + row[0])).size
            #expect(row.count == 11 && Int(row[8]) == size)
        }
    }

    /// A file that grows is whole when it has stopped growing.
    @Test func aFileThatGrows() throws {
        let process = try start()
        let bytes = clips[0]
        for part in 1...10 {
            try box.write("in/a.bin", Array(bytes.prefix(bytes.count * part / 10)))
            usleep(150_000)
        }
        try waitForRows(1)
        usleep(800_000)
        stop(process, SIGTERM)
        let rows = try table()
        #expect(rows.count == 1 && rows[0][7].isEmpty, "\(rows)")
    }

    /// Killed at any moment, nothing is done twice and nothing is left out; a row that was cut off is made again.
    @Test func killedAndRestarted() throws {
        for number in 0..<12 { try box.write("in/\(number).bin", clips[number % 4]) }
        for wanted in [3, 7] {
            let process = try start("--window", "0.25")
            try wait("some rows") { Set(try table().map { $0[0] }).count >= wanted }
            stop(process, SIGKILL)
        }
        // Torn at every byte of the last clip's rows: that clip is predicted again.
        let whole = try box.bytes("out.csv")
        try box.write("out.csv", Array(whole.dropLast(9)))
        let process = try start("--window", "0.25")
        try wait("all") { Set(try table().map { $0[0] }).count == 12 }
        usleep(600_000)
        stop(process)
        let named = try box.succeed("predict", "in", "--window", "0.25", "--format", "csv").output
        func isBefore(_ a: [String], _ b: [String]) -> Bool { a[0] + a[1] < b[0] + b[1] }
        let expected = try CSVTable(Array(named.utf8), path: "named").records.map { Array($0.fields.dropLast()) }
        let found = try table().map { row in ["in/" + row[0]] + Array(row[1..<9]) }
        #expect(found.sorted(by: isBefore) == expected.sorted(by: isBefore))
    }

    /// A clip that fails has one row with the reason, and is tried again when it has changed.
    @Test func failures() throws {
        try box.write("in/a.bin", Array(clips[0].dropLast(5)))
        let process = try start()
        try waitForRows(1)
        usleep(800_000)
        let first = try table()
        #expect(first.count == 1 && first[0][7].contains("in/a.bin: "), "\(first)")
        stop(process)
        let again = try start()
        usleep(1_200_000)
        #expect(try table().count == 1)
        try box.write("in/a.bin", clips[0])
        try waitForRows(2)
        stop(again)
        let rows = try table()
        #expect(rows.map { $0[0] } == ["a.bin", "a.bin"] && rows[1][7].isEmpty && !rows[1][1].isEmpty)
    }

    /// Bouts: a clip without any has a row that tells that it is done.
    @Test func boutsAndLongTables() throws {
        for number in 0..<3 { try box.write("in/\(number).bin", clips[number]) }
        let process = try start("--window", "0.25", "--bouts", "--threshold", "1")
        try waitForRows(3)
        stop(process)
        let rows = try table()
        #expect(rows.map { $0[0] } == ["0.bin", "1.bin", "2.bin"] && rows.allSatisfy { $0[1].isEmpty && $0.count == 9 }, "\(rows)")
        try box.remove("out.csv")
        let long = try start("--long", "--top", "2")
        try waitForRows(6)
        stop(long)
        let ranks = try table().map { $0[0] + $0[1] }
        #expect(ranks == ["0.bin1", "0.bin2", "1.bin1", "1.bin2", "2.bin1", "2.bin2"])
    }

    @Test func aSecondOneIsRefused() throws {
        try box.write("in/a.bin", clips[0])
        let process = try start()
        try waitForRows(1)
        let second = try CommandLineTool.run(Self.words(), in: box.path)
        #expect(
            second.status == 75 && second.errors.contains("out.csv: another vidclass appends to it"), "\(second.status) \(second.errors)")
        stop(process)
    }

    /// A table of other settings, or one that is none of ours, is left alone.
    @Test func otherTables() throws {
        try box.write("in/a.bin", clips[0])
        let process = try start("--window", "0.5")
        try waitForRows(1)
        stop(process)
        for (others, reason) in [(["--window", "0.25"], "another model or other settings"), ([], "is no table of predict --watch")] {
            try expectRefusal(box, Self.words(others), naming: "out.csv", reason)
        }
        try box.write("out.csv", text: "my notes\n")
        try expectRefusal(box, Self.words(), naming: "out.csv", "is no table of predict --watch")
        #expect(try box.bytes("out.csv") == Array("my notes\n".utf8))
    }

    @Test func wrongUsage() throws {
        try box.write("file", text: "text")
        for (words, code, reason) in [
            (["--watch", "in"], 64, "name it with --output"), (["--watch", "in", "--output", "out.json"], 64, "name it with --output"),
            (["--watch", "in", "--output", "out.csv", "a.bin"], 64, "takes no other inputs"), (["--settle", "2", "a.bin"], 64, "--watch"),
            (["--watch", "in", "--output", "out.csv", "--settle", "-1"], 64, "--settle"),
            (["--watch", "missing", "--output", "out.csv"], 66, "missing: no such file"),
            (["--watch", "file", "--output", "out.csv"], 64, "file: expected a folder to watch, found a file"),
        ] {
            let result = try CommandLineTool.run(["predict"] + words, in: box.path)
            #expect(result.status == Int32(code) && result.errors.contains(reason), "\(words): \(result.status) \(result.errors)")
        }
    }

    /// The folder is removed: the command ends.
    @Test func aFolderThatGoes() throws {
        try box.write("in/a.bin", clips[0])
        let process = try start()
        try waitForRows(1)
        try box.remove("in")
        process.waitUntilExit()
        #expect(process.terminationStatus == 66)
    }

    /// A disk that is full, simulated by a limit on file sizes: what was whole stays, and the next command goes on.
    @Test(.enabled(if: ChildProcess.installed("prlimit") != nil, "prlimit is not installed: --watch on a full disk is not tested"))
    func aFullDisk() throws {
        for number in 0..<4 { try box.write("in/\(number).bin", clips[number]) }
        let prlimit = try #require(ChildProcess.installed("prlimit"))
        let process = try CommandLineTool.start(Self.words(), in: box.path, through: [prlimit, "--fsize=300"])
        process.waitUntilExit()
        #expect(process.terminationStatus == 74)
        let before = try table()
        #expect((1...3).contains(before.count))
        let next = try start()
        try waitForRows(4)
        stop(next)
        let after = try table()
        #expect(after.map { $0[0] } == ["0.bin", "1.bin", "2.bin", "3.bin"] && Array(after.prefix(before.count)) == before)
    }
}
