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
        let result = try box.run("predict", "data/**/00[01].bin", "--format", "csv", "--top", "1")
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
            "predict", "data/\(label)/000.bin", "data/\(label)", "data/\(label)/000.bin", "--format", "csv", "--top", "1")
        #expect(result.status == 0, "\(result.errors)")
        #expect(csvInputs(result).count == 4)
        #expect(result.errors.contains("2 inputs are named more than once"))
    }

    @Test func allBadInputsAreNamed() throws {
        try box.write("bad.bin", text: "no clip")
        let csv = try box.run("predict", "bad.bin", "missing.bin", "nowhere/*.bin", "--format", "csv")
        #expect(csv.status == 65)
        #expect(csv.output == "input,rank,label,score\n")
        for name in ["bad.bin", "missing.bin", "nowhere/*.bin", "3 of 3 inputs"] { #expect(csv.errors.contains(name), "\(csv.errors)") }
        let json = try box.run("predict", "bad.bin", "missing.bin", "--format", "json")
        #expect(json.status == 65)
        #expect(json.output == "[]\n")
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
        let noise = try predict("noise", "-", "data/\(label)/000.bin", "--format", "csv", "--top", "1")
        #expect(noise.status == 65)
        #expect(csvInputs(noise) == ["data/\(label)/000.bin"])
        #expect(try box.names("temporary").isEmpty)
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
