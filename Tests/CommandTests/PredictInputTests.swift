import Foundation
import Testing
import VidConfig
import VidSystem
import VidTestSupport

/// The inputs that `vidclass predict` accepts.
@Suite struct PredictInputTests {
    private let box: TestFolder

    init() throws {
        box = try TestFolder()
        try box.synthesize(classes: 2, clips: 4, frames: 8, size: 16)
        try box.write(
            "config.json",
            text: """
                { "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                             "cnn": { "architecture": { "blocks": [[4]] }, "weights": null, "trainable": true },
                             "recurrent": [ { "type": "lstm", "units": 4 } ], "hidden": [] },
                  "data": { "path": "data", "preprocessing": "symmetric", "leak_check": "off" }, "evaluation": { "clips": 2 },
                  "training": { "epochs": 1 } }
                """)
        try box.succeed("train", "--config", "config.json", "--quiet")
    }

    private func csvInputs(_ result: CommandLineTool.Result) -> [String] {
        result.output.split(separator: "\n").dropFirst().map { String($0.split(separator: ",")[0]) }
    }

    @Test func patternsThatNoShellExpanded() throws {
        let result = try box.run("predict", "data/**/00[01].bin", "--format", "csv")
        #expect(result.status == 0, "\(result.errors)")
        let all = try box.names("data").filter { !$0.hasPrefix(".") }.flatMap { ["data/\($0)/000.bin", "data/\($0)/001.bin"] }
        #expect(csvInputs(result) == all)
        let none = try box.run("predict", "data/*.mp4")
        #expect(none.status == 66)
        #expect(none.errors.contains("no file matches it as a pattern"))
    }

    @Test func onePassOverAClipScoresItAsItsSamplesDo() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        let packed = try box.run("eval", "--split", "all", "--data", "data", "--json")
        #expect(packed.status == 0, "\(packed.errors)")
        let predicted = try box.run("predict", "data", "--format", "json", "--top", "1")
        let entries = try #require(JSONParser.parse(Array(predicted.output.utf8)).arrayElements)
        let right = entries.count { entry in
            let predicted = entry["predictions"]?.arrayElements?.first?["label"]?.stringValue ?? "?"
            return entry["input"]?.stringValue?.hasPrefix("data/\(predicted)/") == true
        }
        let accuracy = try #require(JSONParser.parse(Array(packed.output.utf8))["categorical_accuracy"]?.doubleValue)
        #expect(abs(Double(right) / Double(entries.count) - accuracy) <= 1e-12, "\(label)")
    }

    @Test func namedTwiceIsDoneOnce() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        let result = try box.run(
            "predict", "data/\(label)/000.bin", "data/\(label)", "data/\(label)/000.bin", "--format", "csv")
        #expect(result.status == 0, "\(result.errors)")
        #expect(csvInputs(result).count == 4)
        #expect(result.errors.contains("2 inputs are named more than once"))
    }

    @Test func allBadInputsAreNamed() throws {
        try box.write("bad.bin", text: "no clip")
        let csv = try box.run("predict", "bad.bin", "missing.bin", "nowhere/*.bin", "--format", "csv")
        #expect(csv.status == 65)
        #expect(csvInputs(csv) == ["bad.bin", "missing.bin", "nowhere/*.bin"])
        for name in ["bad.bin", "missing.bin", "nowhere/*.bin", "3 of 3 inputs"] { #expect(csv.errors.contains(name), "\(csv.errors)") }
    }

    // MARK: - Lists

    private func predictList(_ bytes: [UInt8], _ arguments: String...) throws -> CommandLineTool.Result {
        try box.write("list.txt", bytes)
        return try CommandLineTool.run(["predict"] + arguments + ["--format", "csv"], in: box.path, input: box("list.txt"))
    }

    @Test func pathsInAList() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        let clips = (0..<4).map { "data/\(label)/00\($0).bin" }
        for name in ["two\nlines.bin", "[ab].bin"] { try box.write(name, try box.bytes(clips[0])) }
        try box.write("-", text: "no clip\n")
        // Lines with either end, a mark at the start, blank lines, no end of the last line; standard input under both names; a file.
        let lines = Array("\u{FEFF}\(clips[2])\r\n\n  \t\n\(clips[0])\n[ab].bin\n\(clips[3])".utf8)
        for list in ["-", "/dev/stdin", "list.txt"] {
            let result = try predictList(lines, clips[1], "--input-list", list)
            #expect(result.status == 0, "\(result.errors)")
            #expect(csvInputs(result) == [clips[1], clips[2], clips[0], "[ab].bin", clips[3]], "\(list)")
        }
        // A folder after one of its clips, and the file "-", which is of no known kind.
        let folder = try predictList(Array("\(clips[3])\ndata/\(label)\n\(clips[3])\n-\n".utf8), "--input-list", "-")
        #expect(folder.status == 65 && folder.errors.contains("2 inputs are named more than once"), "\(folder.errors)")
        #expect(folder.errors.contains("standard input: line 4: ./-: "), "\(folder.errors)")
        let inputs = [clips[3], clips[0], clips[1], clips[2], "./-"]
        #expect(csvInputs(folder) == inputs)
        // find -print0
        try box.write("list.txt", Array("two\nlines.bin\0\(clips[1])\0".utf8))
        let named = try box.run("predict", "--input-list", "list.txt", "--json")
        #expect(named.status == 0, "\(named.errors)")
        let entries = try #require(JSONParser.parse(Array(named.output.utf8)).arrayElements)
        #expect(entries.compactMap { $0["input"]?.stringValue } == ["two\nlines.bin", clips[1]])
    }

    /// Names that are not UTF-8 cannot be opened: they are failed inputs with the reason.
    @Test func namesThatAreNotText() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        try box.makeFolder("odd")
        try box.write("odd/a.bin", try box.bytes("data/\(label)/000.bin"))
        let copy = #"cp odd/a.bin "odd/$(printf '\377\376').bin" && exec "$0" "$@""#
        let result = try CommandLineTool.run(
            ["predict", "odd", "--format", "csv"], in: box.path, through: ["/bin/sh", "-c", copy])
        #expect(result.status == 65 && result.output.split(separator: "\n").count == 3, "\(result.output)")
        #expect(result.errors.contains("or a name that is not valid UTF-8: rename the file"), "\(result.errors)")
    }

    @Test func faultsOfAList() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        let clip = "data/\(label)/000.bin"
        try box.write("bad.bin", text: "no clip")
        let some = try predictList(
            Array("\(clip)\n\nmissing.bin\n*.bin\n".utf8) + [0xFF, 0x62, 0x0A] + Array("bad.bin\n".utf8), "--input-list", "-")
        #expect(some.status == 65)
        for line in [3, 4, 5, 6] { #expect(some.errors.contains("standard input: line \(line): "), "\(some.errors)") }
        #expect(some.errors.contains("4 of 5 inputs") && some.errors.contains("line 5: \u{FFFD}b: the path is not valid UTF-8"))
        #expect(some.output.split(separator: "\n").count == 6 && some.output.contains("\nmissing.bin,,,,,,"))
        #expect(try predictList(Array("\n \n".utf8), "--input-list", "list.txt").errors.contains("list.txt: names no inputs"))
        #expect(try predictList([], "--input-list", "list.txt").status == 65)
        #expect(try predictList([], "--input-list", "nowhere.txt").status == 66)
        #expect(try predictList([], "--input-list", "-", "-").status == 64)
        #expect(try predictList([], "--input-list", "data").errors.contains("data: is a folder"))
        // A clip by mistake, and a line that is no path.
        let mistaken = try predictList([], "--input-list", clip)
        #expect(mistaken.status == 65 && mistaken.errors.contains("not a list of paths"), "\(mistaken.errors)")
        let long = try predictList(Array(repeating: 0x61, count: 9000), "--input-list", "list.txt")
        #expect(long.status == 65 && long.errors.contains("line 1 has 9000 bytes"), "\(long.errors)")
    }

    // MARK: - Standard input

    private func predict(_ input: String?, _ arguments: String..., variables: [String: String?] = [:]) throws -> CommandLineTool.Result {
        try box.makeFolder("temporary")
        return try CommandLineTool.run(
            ["predict"] + arguments, in: box.path, environment: variables.merging(["TMPDIR": box("temporary")]) { $1 },
            input: input.map { box($0) })
    }

    @Test func aClipOnStandardInput() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        let clip = "data/\(label)/000.bin"
        let named = try box.run("predict", clip, "--format", "json")
        let piped = try predict(clip, "-", "--format", "json")
        #expect(piped.status == 0, "\(piped.errors)")
        #expect(piped.output == named.output.replacingOccurrences(of: clip, with: "-"))
        let text = try predict(clip, "-")
        #expect(text.output.hasPrefix("standard input\n"))
        #expect(try box.names("temporary").isEmpty)
    }

    @Test func whatIsNoClipIsRefusedByThatName() throws {
        let empty = try predict(nil, "-")
        #expect(empty.status == 65)
        #expect(empty.errors.contains("standard input is empty"))
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        try box.write("cut.bin", Array(try box.bytes("data/\(label)/000.bin").dropLast(9)))
        let cut = try predict("cut.bin", "-")
        #expect(cut.status == 65)
        #expect(cut.errors.contains("standard input: "), "\(cut.errors)")
        #expect(!cut.errors.contains("temporary"))
        let twice = try predict("cut.bin", "-", "-")
        #expect(twice.status == 64)
        try box.write("noise", Array("hello, world".utf8))
        let noise = try predict("noise", "-", "data/\(label)/000.bin", "--format", "csv")
        #expect(noise.status == 65)
        #expect(csvInputs(noise) == ["-", "data/\(label)/000.bin"])
        #expect(try box.names("temporary").isEmpty)
    }

    /// Inputs are what their content says, whatever their names are.
    @Test func kindsByContent() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        try box.write("misnamed.mp4", box.bytes("data/\(label)/000.bin"))
        try box.write("picture.mp4", [0xFF, 0xD8, 0xFF, 0xE0, 0, 0x10, 0x4A, 0x46, 0x49, 0x46])
        try box.write("pointer.mp4", text: "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
        let result = try box.run("predict", "misnamed.mp4", "picture.mp4", "pointer.mp4", "--format", "csv")
        #expect(result.status == 65 && csvInputs(result) == ["misnamed.mp4", "picture.mp4", "pointer.mp4"])
        #expect(result.errors.contains("2 of 3 inputs"), "\(result.errors)")
        #expect(result.errors.contains("picture.mp4: not a clip but a picture (JPEG) under the name of a clip"), "\(result.errors)")
        #expect(result.errors.contains("fetch the file itself with `git lfs pull`"), "\(result.errors)")
        let piped = try predict("picture.mp4", "-")
        #expect(
            piped.status == 65 && piped.errors.contains("standard input: not a clip but a picture (JPEG); expected .bin"), "\(piped.errors)"
        )
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP]) func aSignalLeavesNothingBehind(number: Int32) throws {
        try box.makeFolder("temporary")
        let pipe = Pipe()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLineTool.path)
        process.arguments = ["predict", "-"]
        process.currentDirectoryURL = URL(fileURLWithPath: box.path)
        process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": box("temporary")]) { $1 }
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // More than the first block, so that the temporary file exists; the input never ends.
        try pipe.fileHandleForWriting.write(contentsOf: Data(repeating: 0x47, count: 3 << 20))
        for _ in 0..<500 where try box.names("temporary").isEmpty { usleep(10_000) }
        #expect(try box.names("temporary").count == 1)
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        #expect(process.terminationStatus == 128 + number)
        #expect(try box.names("temporary").isEmpty)
    }
}
