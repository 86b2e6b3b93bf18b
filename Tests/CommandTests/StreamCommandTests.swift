import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// `vidclass predict - --window`: a video that is predicted while it comes.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: streams of video are not tested"))
struct StreamCommandTests {
    private let box: TestFolder
    private static let words = ["--window", "1", "--stride", "0.5", "--threads", "1"]

    init() throws {
        box = try TestFolder()
        let trained = try TrainedModel.folder()
        try FileManager.default.copyItem(atPath: trained("runs"), toPath: box("runs"))
        try make("a.mkv")
    }

    /// A film of ten seconds.
    private func make(_ name: String, _ options: String...) throws {
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=20", "-frames:v", "200", "-pix_fmt", "yuv420p", "-g", "20"] + options + [
                box(name)
            ])
    }

    /// A running command whose input this process writes and whose output goes to files.
    private final class Piped {
        let process = Process()
        let input = Pipe()
        private let box: TestFolder

        init(_ words: [String], in box: TestFolder, temporary: String) throws {
            self.box = box
            signal(SIGPIPE, SIG_IGN)
            process.executableURL = URL(fileURLWithPath: CommandLineTool.path)
            process.arguments = ["predict", "-"] + words
            process.currentDirectoryURL = URL(fileURLWithPath: box.path)
            process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": temporary, "XDG_CACHE_HOME": box(".cache")]) { $1 }
            for name in ["output", "errors"] { try box.write(name) }
            process.standardInput = input
            process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: box("output")))
            process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: box("errors")))
            try process.run()
        }

        func write(_ bytes: some Collection<UInt8>) throws { try input.fileHandleForWriting.write(contentsOf: Data(bytes)) }

        func end() throws -> Int32 {
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            return process.terminationStatus
        }

        var output: String { (try? String(decoding: box.bytes("output"), as: UTF8.self)) ?? "" }
        var errors: String { (try? String(decoding: box.bytes("errors"), as: UTF8.self)) ?? "" }

        func wait(lines: Int) -> Bool {
            for _ in 0..<3000 {
                if output.split(separator: "\n").count >= lines { return true }
                usleep(10_000)
            }
            return false
        }
    }

    private func piped(_ words: [String]) throws -> Piped {
        try box.makeFolder("temporary")
        return try Piped(words, in: box, temporary: box("temporary"))
    }

    private func file(_ words: [String], _ name: String = "a.mkv") throws -> String {
        let result = try CommandLineTool.run(["predict", name] + words, in: box.path)
        try #require(result.status == 0, "\(result.errors)")
        return result.output
    }

    /// In small pieces with pauses: the same rows as of the file, to the last digit, and no temporary file.
    @Test(arguments: ["mkv", "ts", "mp4"]) func theRowsOfTheFile(kind: String) throws {
        if kind == "ts" { try make("a.ts") }
        if kind == "mp4" { try make("a.mp4", "-movflags", "+frag_keyframe+empty_moov") }
        let words = Self.words + ["--format", "csv"]
        let rows = try file(words, "a.\(kind)")
        #expect(rows.split(separator: "\n").count == 20)
        let command = try piped(words)
        var bytes = try box.bytes("a.\(kind)")[...]
        var number = 0
        while !bytes.isEmpty {
            try command.write(bytes.prefix(701))
            bytes = bytes.dropFirst(701)
            number += 1
            if number % 20 == 0 { usleep(20_000) }
            #expect(try box.names("temporary").isEmpty)
        }
        #expect(try command.end() == 0, "\(command.errors)")
        #expect(command.output == rows.replacingOccurrences(of: "\na.\(kind),", with: "\n-,"))
    }

    /// Fifty minutes in fragments: what the reader remembers of them does not grow.
    @Test(.disabled(if: Sanitizer.isOn, "\(Sanitizer.reason)")) func memoryOfALongStream() throws {
        try FFmpegProgram.run([
            "-stream_loop", "299", "-i", box("a.mkv"), "-c", "copy", "-movflags", "+frag_every_frame+empty_moov", box("long.mp4"),
        ])
        let bytes = try box.bytes("long.mp4")
        let command = try piped(["--window", "1", "--stride", "60", "--format", "csv"])
        let first = bytes.count / 5
        try command.write(bytes.prefix(first))
        let before = try #require(Self.memoryOfChildren(of: command.process.processIdentifier))
        try command.write(bytes.dropFirst(first))
        let after = try #require(Self.memoryOfChildren(of: command.process.processIdentifier))
        #expect(try command.end() == 0, "\(command.errors)")
        #expect(command.output.split(separator: "\n").count == 51)
        // Without an end, 48,000 fragments take some 7 MB.
        #expect(after - before < 3000, "\(before) and \(after) KiB")
    }

    /// KiB of physical memory of a process's children; nil if there are none.
    private static func memoryOfChildren(of parent: Int32) -> Int? {
        var total: Int?
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] where Int32(name) != nil {
            // Others come and go.
            guard let status = try? String(contentsOfFile: "/proc/\(name)/status", encoding: .utf8) else { continue }
            func field(_ key: String) -> Int? {
                status.split(separator: "\n").first { $0.hasPrefix(key + ":") }?.split(whereSeparator: \.isWhitespace).dropFirst().first
                    .flatMap { Int($0) }
            }
            if field("PPid") == Int(parent), let resident = field("VmRSS") { total = (total ?? 0) + resident }
        }
        return total
    }

    @Test func otherFormats() throws {
        let windows = try #require(JSONParser.parse(Array(try file(Self.words + ["--json", "--top", "1"]).utf8)).arrayElements?.first)
        for format in ["json", "jsonl", "text"] {
            let command = try piped(Self.words + ["--format", format, "--top", "1"])
            try command.write(try box.bytes("a.mkv"))
            #expect(try command.end() == 0, "\(command.errors)")
            let lines = command.output.split(separator: "\n")
            switch format {
            case "json":
                let document = try #require(JSONParser.parse(Array(command.output.utf8)).arrayElements?.first)
                #expect(document["windows"] == windows["windows"] && document["input"]?.stringValue == "-")
            case "jsonl":
                let found = try lines.map { try JSONParser.parse(Array($0.utf8)) }
                let expected = windows["windows"]?.arrayElements ?? []
                #expect(found.count == 19 && found.count == expected.count)
                for (line, window) in zip(found, expected) {
                    for key in ["start", "end", "predictions", "unfamiliar"] { #expect(line[key] == window[key], "\(key)") }
                }
            default:
                #expect(lines.count == 20 && lines[0] == "standard input" && lines[1].contains("0:00.0 -   0:01.0  "), "\(command.output)")
            }
        }
    }

    @Test func bouts() throws {
        let words = Self.words + ["--bouts", "--threshold", "0", "--format", "csv"]
        let rows = try file(words)
        let command = try piped(words)
        try command.write(try box.bytes("a.mkv"))
        #expect(try command.end() == 0, "\(command.errors)")
        #expect(rows.split(separator: "\n").count > 1)
        #expect(command.output == rows.replacingOccurrences(of: "\na.mkv,", with: "\n-,"))
    }

    /// Lines come while the stream goes on. Ctrl-C ends it after a whole line, and documents are complete.
    @Test(arguments: ["csv", "json", "jsonl", "text"]) func linesComeAtOnceAndCtrlCEndsThem(format: String) throws {
        let command = try piped(Self.words + ["--format", format])
        let bytes = try box.bytes("a.mkv")
        try command.write(bytes.prefix(bytes.count / 2))
        #expect(command.wait(lines: 5), "\(command.output) \(command.errors)")
        kill(command.process.processIdentifier, SIGINT)
        command.process.waitUntilExit()
        #expect(command.process.terminationReason == .exit && command.process.terminationStatus == 130, "\(command.errors)")
        #expect(command.output.hasSuffix("\n"))
        let rows = command.output.split(separator: "\n")
        switch format {
        case "csv": #expect(rows.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 10 })
        case "jsonl":
            let lines = try rows.map { try JSONParser.parse(Array($0.utf8)) }
            #expect(lines.allSatisfy { $0["start"] != nil })
        case "json":
            let document = try JSONParser.parse(Array(command.output.utf8))
            #expect((document.arrayElements?.first?["windows"]?.arrayElements?.count ?? 0) >= 1)
        default: break
        }
    }

    /// The stream ends in an error: the windows before it stay, and it is named.
    @Test(arguments: ["csv", "json", "jsonl"]) func whatIsNoVideo(format: String) throws {
        let command = try piped(Self.words + ["--format", format])
        try command.write(try box.bytes("a.mkv").prefix(60))
        #expect(try command.end() == 65)
        #expect(command.errors.contains("vidclass: error: standard input: no video that FFmpeg can read"), "\(command.errors)")
        switch format {
        case "csv": #expect(command.output.contains("\n-,,,,,,,,,standard input: no video"), "\(command.output)")
        default:
            let document = try JSONParser.parse(Array(command.output.utf8))
            let entry = format == "json" ? document.arrayElements?.first : document
            #expect(entry?["error"]?.stringValue?.hasPrefix("standard input: ") == true, "\(command.output)")
        }
    }

    /// What needs the end of the stream still works: files, whole inputs, and an MP4 whose index is at its end.
    @Test func whatNeedsTheEnd() throws {
        try make("end.mp4")
        let rows = try file(Self.words + ["--format", "csv"], "end.mp4")
        let command = try piped(Self.words + ["--format", "csv"])
        try command.write(try box.bytes("end.mp4"))
        #expect(try command.end() == 0, "\(command.errors)")
        let printed = command.output
        #expect(printed == rows.replacingOccurrences(of: "\nend.mp4,", with: "\n-,"))
        let written = try piped(Self.words + ["--output", "out.csv"])
        try written.write(try box.bytes("end.mp4"))
        #expect(try written.end() == 0, "\(written.errors)")
        #expect(try box.bytes("out.csv") == Array(printed.utf8))
    }

    /// `| head`: the command ends, and says nothing.
    @Test func aReaderThatGoes() throws {
        let script = #"("$0" predict - --window 1 --stride 0.1 --format csv < a.mkv 2> errors; echo $? > code) | head -n 2 > first"#
        _ = try CommandLineTool.run([], in: box.path, through: ["/bin/sh", "-c", script])
        #expect(String(decoding: try box.bytes("first"), as: UTF8.self).split(separator: "\n").count == 2)
        #expect(!String(decoding: try box.bytes("errors"), as: UTF8.self).contains("error"))
        #expect(["141\n", "0\n"].contains(String(decoding: try box.bytes("code"), as: UTF8.self)))
    }
}
