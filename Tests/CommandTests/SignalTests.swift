import Foundation
import Testing
import VidSystem
import VidTestSupport

/// SIGINT and SIGTERM, once and twice, during steps and during a save; readers that leave; full disks.
@Suite struct SignalTests {
    /// Starts a program with a full disk for standard output.
    private static let ontoFull = ["/bin/sh", "-c", "exec \"$0\" \"$@\" > /dev/full"]

    private static let long = #""epochs": 60, "batch_size": 4, "save_every_minutes": 0"#

    /// Stops a training by signals in its first epochs.
    ///
    /// - Parameter launcher: a program that delays its saves.
    private func interrupt(
        _ tiny: TinyTraining, _ number: Int32, twice: Bool, through launcher: [String] = [], _ when: () throws -> Bool
    ) throws {
        let process = try CommandLineTool.start(TinyTraining.words, in: tiny.box.path, through: launcher)
        try tiny.wait(for: "the moment", when)
        let start = ContinuousClock.now
        kill(process.processIdentifier, number)
        if twice {
            // So that the two signals don't merge into one.
            usleep(5000)
            kill(process.processIdentifier, number)
        }
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + number)
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test(arguments: [SIGINT, SIGTERM], [false, true]) func duringSteps(_ number: Int32, twice: Bool) throws {
        let tiny = try TinyTraining(training: Self.long)
        let box = tiny.box
        try interrupt(tiny, number, twice: twice) { try box.bytes("runs/train/results.csv").count > 150 }
        if !twice { #expect(try box.leftovers("runs/train") == []) }
        try tiny.expectTheSame(try TinyTraining(training: Self.long).whole())
    }

    /// strace delays each sync, and the signals come while the state is being synced.
    @Test(
        .enabled(if: ChildProcess.installed("strace") != nil, "strace is not installed: signals during a save are not tested"),
        arguments: [SIGINT, SIGTERM], [false, true])
    func duringASave(_ number: Int32, twice: Bool) throws {
        let training = #""epochs": 3, "batch_size": 4, "save_every_minutes": 0"#
        let tiny = try TinyTraining(training: training)
        let (box, strace) = (tiny.box, try #require(ChildProcess.installed("strace")))
        // With -D the started process is vidclass itself.
        let held = [strace, "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=200000:when=6+"]
        try interrupt(tiny, number, twice: twice, through: held) {
            try box.exists("runs/train/weights/last.safetensors") && !box.leftovers("runs/train/weights").isEmpty
        }
        // After one signal, the save was completed; after two, its leftovers are removed when the run is resumed.
        if !twice { #expect(try box.leftovers("runs/train") == []) }
        try tiny.expectTheSame(try TinyTraining(training: training).whole())
    }

    /// The first signal waits for the end of a step, which takes seconds here; the second doesn't, and nothing is saved.
    @Test func aSecondOneDoesNotWaitForTheStep() throws {
        let box = try TestFolder()
        try box.synthesize(classes: 2, clips: 8, frames: 8, size: 48)
        try box.write(
            "config.json",
            text: """
                { "model": { "input": { "frames": 8, "rows": 48, "columns": 48 },
                             "cnn": { "architecture": { "blocks": [[128, 128], [128]] }, "weights": null, "trainable": true },
                             "recurrent": [], "hidden": [] },
                  "data": { "path": "data", "validation_split": 0, "leak_check": "off" }, "training": { "epochs": 9, "batch_size": 16 } }
                """)
        let process = try CommandLineTool.start(["train", "--config", "config.json", "--quiet"], in: box.path)
        for _ in 0..<10_000 where !box.exists("runs/train/run.json") { usleep(1000) }
        usleep(300_000)
        kill(process.processIdentifier, SIGINT)
        usleep(300_000)
        guard process.isRunning else { return print("not tested: the step was over too soon") }
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + SIGTERM)
        #expect(!box.exists("runs/train/weights/last.safetensors"))
        #expect(try box.run("runs").output.contains("crashed"))
    }

    /// Children end with the command: a reader has its own session and gets no signal from the terminal.
    @Test(.enabled(if: FFmpegProgram.isInstalled), arguments: [SIGINT, SIGTERM, SIGHUP])
    func aSignalEndsTheChildren(_ number: Int32) throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let box = tiny.box
        // Decoding takes a while, and delivers nothing for long: one key frame, many pixels.
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25", "-frames:v", "300", "-pix_fmt", "yuv420p"]
                + ["-preset", "ultrafast", "-g", "1000", box("a.mp4")])
        let process = try CommandLineTool.start(["predict", "a.mp4", "--window", "0.1"], in: box.path)
        var children: [Int32] = []
        try tiny.wait(for: "the child") {
            children = SignalTests.descendants(of: process.processIdentifier)
            return !children.isEmpty
        }
        kill(process.processIdentifier, number)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 128 + number)
        try tiny.wait(for: "the end of the children") { children.allSatisfy { !SignalTests.isAlive($0) } }
    }

    /// The children of `process`, from /proc.
    private static func descendants(of process: Int32) -> [Int32] {
        var found: [Int32] = []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let number = Int32(name), let parent = status(number)?.parent else { continue }
            if parent == process { found += [number] + descendants(of: number) }
        }
        return found
    }

    private static func isAlive(_ process: Int32) -> Bool { status(process).map { $0.state != "Z" } ?? false }

    private static func status(_ process: Int32) -> (state: String, parent: Int32)? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 1, let parent = Int32(fields[1])
        else { return nil }
        return (String(fields[0]), parent)
    }

    // MARK: - Readers that leave

    /// `train --json | head -1` and `train 2>&1 | head -1`: the training continues to its end.
    @Test(arguments: [(["--json"], "2> /dev/null"), (["--verbose"], "2>&1")])
    func aReaderThatLeavesEndsNoTraining(options: [String], redirection: String) throws {
        let tiny = try TinyTraining(training: #""epochs": 30, "batch_size": 4"#)
        let box = tiny.box
        let words = ["train", "--config", "config.json", "--no-cache", "--threads", "1"] + options
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c", "{ '\(CommandLineTool.path)' \(words.joined(separator: " ")) \(redirection); echo $? > status; } | head -n 1 > first",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: box.path)
        try process.run()
        process.waitUntilExit()
        #expect(String(decoding: try box.bytes("status"), as: UTF8.self) == "0\n")
        #expect(String(decoding: try box.bytes("first"), as: UTF8.self).split(separator: "\n").count == 1)
        #expect(String(decoding: try box.bytes("runs/train/results.csv"), as: UTF8.self).split(separator: "\n").count == 31)
        #expect(String(decoding: try box.bytes("runs/train/run.json"), as: UTF8.self).contains("\"finished\""))
    }

    /// Results that cannot be written are an error, and a run without anything saved leaves nothing behind.
    @Test func aStreamOntoAFullDiskIsAnError() throws {
        let tiny = try TinyTraining(training: #""epochs": 3, "batch_size": 4"#)
        let words = TinyTraining.words.filter { $0 != "--quiet" } + ["--json"]
        let result = try tiny.run(words, through: Self.ontoFull)
        #expect(result.status == 74, "\(result.errors)")
        #expect(result.errors.contains("vidclass: error: standard output cannot be written: No space left on device"), "\(result.errors)")
        #expect(!tiny.box.exists("runs/train"))
    }

    // MARK: - Full disks

    /// `explain` on a full disk, simulated by a limit on file sizes for pictures and animations, and by /dev/full for its output.
    @Test(.enabled(if: ChildProcess.installed("prlimit") != nil, "prlimit is not installed: explain on a full disk is not tested"))
    func explainOnAFullDisk() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let (box, prlimit) = (tiny.box, try #require(ChildProcess.installed("prlimit")))
        var cases = [["--output", "why.png"], ["--output", "why"], ["--output", "why", "--format", "json"]]
        if FFmpegProgram.isInstalled { cases += [["--output", "why.gif"], ["--output", "why", "--animation"]] }
        for options in cases {
            for inputs in [["data/left/000.bin"], ["data/left/000.bin", "data/left/001.bin"]] where inputs.count == 1 || options[1] == "why"
            {
                // The command's own output goes to a file, too, which needs a few bytes.
                let result = try tiny.run(["explain"] + inputs + options, through: [prlimit, "--fsize=900"])
                #expect(result.status == 74, "\(options) \(inputs): \(result.status) \(result.errors)")
                let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("vidclass: error: ") }
                #expect(errors.count == 1 && errors.first?.contains("why") == true, "\(result.errors)")
                #expect(result.output.isEmpty)
                let left = try box.names().filter { $0.hasPrefix("why.") || $0.hasSuffix(".tmp") }
                let inFolder = box.exists("why") ? try box.names("why") : []
                #expect(left + inFolder == [])
            }
        }
        for format in ["text", "json"] {
            let result = try tiny.run(["explain", "data/left/000.bin", "--format", format], through: Self.ontoFull)
            #expect(result.status == 74 && result.errors.contains("standard output cannot be written"), "\(result.errors)")
        }
    }
}
