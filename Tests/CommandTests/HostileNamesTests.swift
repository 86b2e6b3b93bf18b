import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Hostile names of classes, clips and folders: none controls a terminal or a page, none leads out of its folder.
@Suite struct HostileNamesTests {
    /// Escape sequences (7 and 8 bits), line ends, turned text, markup, options, quotes; each with the text that must not appear.
    static let classes = [
        "-rf", "\u{1B}]0;owned\u{7}\u{1B}[2J", "a\nvidclass: error: b", "\u{9B}31m", "\u{202E}evil", "<script>alert(1)</script>",
        "\"',;$(touch owned)`touch owned`", "\r\u{8}\u{7F}", String(repeating: "n", count: 255), "..\\..", "~",
    ]
    static let clips = [
        "\u{1B}[31m.bin", "-x.bin", "--help.bin", "line\nend.bin", "\u{9B}2J.bin", "\u{2066}\u{202E}nib.bin", "&<b>.bin", "%s%n.bin",
        String(repeating: "c", count: 251) + ".bin", "\u{7}\u{7F}\u{85}.bin", "\u{301}joined.bin", "a,b\"c.bin",
    ]

    /// The characters of a text that would control a terminal: all control characters except the line end, and turns of the reading
    /// direction.
    private func raw(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.filter { scalar in
            switch scalar.value {
            case 0x0A: false
            case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
            default: false
            }
        }
    }

    private func expectClean(
        _ result: CommandLineTool.Result, _ what: String, _ status: Int32 = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(result.status == status, "\(what): \(result.errors)", sourceLocation: sourceLocation)
        #expect(raw(result.errors) == [], "errors of \(what): \(result.errors.debugDescription)", sourceLocation: sourceLocation)
        #expect(raw(result.output) == [], "output of \(what): \(result.output.debugDescription)", sourceLocation: sourceLocation)
        #expect(!result.errors.split(separator: "\n").contains("vidclass: error: b"), sourceLocation: sourceLocation)
    }

    /// What commands say of folders that they make or are named.
    @Test func noneOfAFolderReachesATerminal() throws {
        let box = try TestFolder()
        let name = "a\u{1B}[2J\u{9B}31m\nvidclass: error: b"
        expectClean(
            try box.run("synth", name, "--classes", "2", "--clips-per-class", "2", "--frames", "2", "--rows", "8", "--columns", "8"),
            "synth")
        expectClean(try box.run("pack", name, name + "2", "--rows", "8", "--columns", "8"), "pack")
        expectClean(try box.run("check", name), "check")
        expectClean(try box.run("runs", name), "runs")
        expectClean(try box.run("synth", name, "--frames", "1"), "synth", 64)
        expectClean(try box.run("eval", "--checkpoint", name), "eval", 65)
        for command in [["inspect", name + "/x.bin"], ["train", "--config", name + ".json"]] {
            expectClean(try CommandLineTool.run(command, in: box.path), command[0], 66)
        }
    }

    @Test func noneReachesATerminalOrAPage() throws {
        let tiny = try TinyTraining(training: #""epochs": 1, "batch_size": 8"#)
        let (box, files) = (tiny.box, FileManager.default)
        // The folder has an odd name itself.
        let data = "data\u{1B}[1m\n"
        for (number, label) in Self.classes.enumerated() {
            try box.makeFolder(data + "/" + label)
            for count in 0..<4 {
                let name = Self.clips[(number + count * 3) % Self.clips.count]
                // No two of them show the same: a clip with two labels would stop the training.
                var random = RandomGenerator(seed: UInt64(number * 4 + count))
                let shape = ClipShape(frames: 2, channels: 3, rows: 8, columns: 8)
                let values = (0..<shape.count).map { _ in UInt8(random.below(256)) }
                try ClipFile.write(Clip(shape: shape, pixels: .bytes(values), framesPerSecond: 8), to: box("made.bin"))
                try files.moveItem(atPath: box("made.bin"), toPath: box(data + "/" + label + "/" + name))
            }
        }
        try box.write(data + "/other\u{1B}c.txt", text: "x")
        // A name that is not text.
        let strange = Array(box(data).utf8) + Array("/-rf/".utf8) + [0xFF, 0xFE, 0x1B] + Array(".bin".utf8) + [0]
        let descriptor = strange.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { open($0.baseAddress!, O_WRONLY | O_CREAT, 0o644) }
        }
        #expect(descriptor >= 0)
        close(descriptor)

        let words = ["--set", "data.path=\(try json(data))", "--no-cache"]
        for options in [["--dry-run"], ["--verbose"], ["--json", "--set", "output.exist_ok=true"]] {
            let trained = try CommandLineTool.run(["train", "--config", "config.json"] + words + options, in: box.path)
            expectClean(trained, "train \(options)")
        }
        // A run's name is checked when it is given, but a folder can be renamed.
        let run = "run\u{1B}[5m\n\u{9B}1m"
        try files.moveItem(atPath: box("runs/train"), toPath: box("runs/" + run))
        let best = "runs/\(run)/weights/best.safetensors"
        let clip = data + "/" + Self.classes[1] + "/" + Self.clips[1]
        for words in [
            ["check", data, "--no-cache"], ["check", data, "--no-cache", "--json"], ["eval", "--no-cache"],
            ["eval", "--json", "--no-cache", "--no-report"],
            ["predict", clip], ["explain", clip, "--output", "why"],
            ["explain", clip, "--format", "json", "--output", "why2", "--class", Self.classes[1]], ["inspect", best],
            ["inspect", best, "--json"],
            ["inspect", clip], ["runs"], ["runs", "--json"], ["train", "--resume", "runs/\(run)", "--no-cache"],
            ["pack", data, "packed", "--rows", "8", "--columns", "8"],
        ] {
            expectClean(try CommandLineTool.run(words, in: box.path), "\(words)")
        }
        #expect(
            try CommandLineTool.run(
                ["train", "--resume", "runs/\(run)", "--no-cache", "--quiet", "--set", "training.epochs=2"], in: box.path
            ).status == 0)
        // The name that is not text is an input that fails.
        expectClean(try box.run("predict", data, "--format", "json", "--checkpoint", best), "predict", 65)
        // CSV is for programs: names are unchanged, and each reads back as one field.
        let csv = try box.run("predict", data, "--format", "csv")
        #expect(csv.output.contains("\u{1B}") && csv.status == 65)
        for name in ["report.html", "results.svg", "confusion_matrix.svg", "run.json", "config.json", "data.json", "environment.json"] {
            let text = String(decoding: try box.bytes("runs/\(run)/\(name)"), as: UTF8.self)
            #expect(raw(text) == [], "\(name)")
            if name.hasSuffix("svg") || name.hasSuffix("html") { #expect(!text.contains("<script>alert"), "\(name)") }
        }
        // One name begins with a dot, and is hidden.
        #expect(try box.names("packed").count == Self.classes.count - 1 && !box.exists("owned"))
    }

    private func json(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }

    /// Errors quote names from anywhere on one line.
    @Test func errorsAreOneLine() throws {
        let tiny = try TinyTraining()
        _ = try tiny.whole()
        let box = tiny.box
        for name in [
            "\u{1B}]0;owned\u{7}\u{9B}2J", "a\nvidclass: error: b", "\u{202E}nothing/../..", "\u{1B}" + String(repeating: "x", count: 5000),
        ] {
            for words in [
                ["predict", "--", name + ".mp4"], ["inspect", "--", name + ".bin"], ["explain", "--", name + ".bin"],
                ["check", "--", name + "x"],
                ["pack", "--", name + ".mp4", "packed"], ["compare", "--", name + "1", name + "2"], ["runs", "--", name + "x"],
                ["train", "--resume", name + "x"], ["train", "--config", name + "x"], ["predict", "--bad" + name], ["dance" + name],
                ["predict", "data", "--format", name], ["explain", "data/left/000.bin", "--class", name + "x"],
                ["eval", "--data", name + "x"], ["predict", "data/left/000.bin", "--checkpoint", name + "x"],
                ["train", "--config", "config.json", "--set", name],
            ] {
                let result = try CommandLineTool.run(words, in: box.path)
                #expect([64, 65, 66, 74].contains(result.status), "\(words): \(result.status) \(result.errors)")
                #expect(raw(result.errors) == [] && raw(result.output) == [], "\(words): \(result.errors.debugDescription)")
                let errors = result.errors.split(separator: "\n").filter { $0.hasPrefix("vidclass: error: ") || $0.hasPrefix("Error: ") }
                #expect(errors.count == 1, "\(words): \(result.errors)")
            }
        }
    }

    // MARK: - Links and tables

    /// Links are followed anywhere, with a note; tables may name any clip; a run's own table may not leave its data folder.
    @Test func linksOutAreFollowedAndSaid() throws {
        let tiny = try TinyTraining(training: #""epochs": 1, "batch_size": 4"#)
        let (box, files) = (tiny.box, FileManager.default)
        try files.moveItem(atPath: box("data/right"), toPath: box("elsewhere"))
        try files.createSymbolicLink(atPath: box("data/right"), withDestinationPath: box("elsewhere"))
        try files.createSymbolicLink(atPath: box("data/left/inside.bin"), withDestinationPath: "000.bin")
        let trained = try box.run("train", "--config", "config.json", "--no-cache")
        #expect(trained.status == 0, "\(trained.errors)")
        let said = "followed 1 link that leads out of the data folder, for example right to \(box("elsewhere"))"
        func onOneLine(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        #expect(onOneLine(trained.errors).contains(said), "\(trained.errors)")
        #expect(onOneLine(try box.run("check", "data", "--no-cache").output).contains(said))
        try box.write("secret.bin", try box.bytes("data/left/000.bin"))
        let splits = String(decoding: try box.bytes("runs/train/splits.csv"), as: UTF8.self)
        for stolen in ["../secret.bin", box("secret.bin"), "left/../../secret.bin"] {
            try box.write("runs/train/splits.csv", text: splits + "\(stolen),left,val,\n")
            for words in [TinyTraining.resuming + ["--set", "training.epochs=2"], ["eval", "--no-cache", "--no-report"]] {
                let refused = try CommandLineTool.run(words, in: box.path)
                #expect(refused.status == 65 && refused.errors.contains("leads out of the data folder"), "\(refused.errors)")
            }
        }
        try box.write(
            "table/data.csv",
            text: "path,label\n../secret.bin,a\n../data/left/001.bin,a\n../elsewhere/000.bin,b\n\(box("elsewhere/001.bin")),b\n")
        #expect(try box.run("check", "table/data.csv", "--no-cache").status == 0)
    }
}
