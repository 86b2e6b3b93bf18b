import Foundation
import Testing
import VidSystem
import VidTensor
import VidTestSupport

/// Data as people bring it: what cannot be meant stops a training, and what may be a mistake is said.
@Suite struct MessyDataTests {
    private let tiny: TinyTraining
    private var box: TestFolder { tiny.box }

    init() throws { tiny = try TinyTraining(training: #""epochs": 1, "batch_size": 4"#) }

    /// A table of the clips in `data`, with more rows.
    private func table(_ rows: String = "", split: (Int) -> String = { $0 < 3 ? "train" : "val" }) throws -> [String] {
        var clips: [String] = []
        var text = "path,label,split\n"
        for label in try box.names("data").filter({ !$0.hasPrefix(".") && !$0.hasSuffix(".csv") }) {
            for (number, name) in try box.names("data/\(label)").enumerated() {
                clips.append("\(label)/\(name)")
                text += "\(label)/\(name),\(label),\(split(number))\n"
            }
        }
        try box.write("data/list.csv", text: text + rows)
        return clips
    }

    private func words(_ result: CommandLineTool.Result) -> String {
        (result.output + result.errors).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    @Test func aClipWithTwoLabelsStopsATraining() throws {
        let clip = try table()[0]
        let label = clip.prefix { $0 != "/" }
        let other = label == "left" ? "right" : "left"
        _ = try table("./\(clip),\(other),train\n")
        let said = "\(clip) (line 2, \"\(label)\") and ./\(clip) (line 10, \"\(other)\") are the same file"
        let checked = try box.run("check", "data/list.csv", "--no-cache")
        #expect(checked.status == 65 && words(checked).contains("Clips with two labels " + said), "\(checked)")
        let trained = try tiny.run(TinyTraining.words + ["--set", "data.path=data/list.csv"])
        #expect(trained.status == 65 && words(trained).contains("1 clip has two labels") && words(trained).contains(said), "\(trained)")
        #expect(!box.exists("runs/train"))
        let json = try JSONParser.parse(Array(try box.run("check", "data/list.csv", "--json", "--no-cache").output.utf8))
        #expect(json["contradictions"]?.arrayElements?.first?["second"]?["label"]?.stringValue == other)
        let planned = try box.run("init", "data/list.csv", "--output", "new.json", "--no-cache")
        #expect(words(planned).contains("warning: data/list.csv: 1 clip has two labels"), "\(planned)")
        // In another split that the table names, it is a leak.
        _ = try table("./\(clip),\(other),val\n")
        let leak = try box.run("check", "data/list.csv", "--no-cache")
        #expect(leak.status == 0 && words(leak).contains("Clips that look the same in two splits"), "\(leak)")
    }

    /// A clip that became a copy of one with another label after the run had been trained on it.
    @Test func aResumedRunWarnsOfTwoLabels() throws {
        let trained = try tiny.run()
        #expect(trained.status == 0, "\(trained)")
        let labels = try box.names("data").filter { !$0.hasPrefix(".") }
        let clips = try labels.map { "data/\($0)/\(try box.names("data/\($0)")[0])" }
        try box.write(clips[1], Array(Data(contentsOf: URL(fileURLWithPath: box(clips[0])))))
        let resumed = try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=2"])
        #expect(resumed.status == 0 && words(resumed).contains("warning: data: 1 clip has two labels, for example"), "\(resumed)")
    }

    @Test func similarLabelsAreSaid() throws {
        let clips = try table()
        try box.write(
            "data/list.csv", text: "path,label\n" + clips.enumerated().map { "\($1),\(["cat", "Dog ", "dog"][$0 % 3])\n" }.joined())
        let note = "note: the labels \"cat\""
        for arguments in [
            ["check", "data/list.csv", "--no-cache"], ["init", "data/list.csv", "--output", "new.json", "--no-cache"],
            TinyTraining.words + ["--set", "data.path=data/list.csv"],
        ] {
            let result = try tiny.run(arguments)
            #expect(result.status == 0, "\(result)")
            #expect(
                words(result).contains("note: the labels \"Dog\" (3 clips) and \"dog\" (2 clips) differ only in case or spaces"),
                "\(result)")
            #expect(!words(result).contains(note))
        }
    }

    /// A run whose data was moved names the setting that helps.
    @Test func movedData() throws {
        _ = try table()
        for (data, moved) in [("data", "elsewhere"), ("data/list.csv", "elsewhere/list.csv")] {
            try? box.remove("runs")
            let trained = try tiny.run(TinyTraining.words + ["--set", "data.path=\(data)"])
            try #require(trained.status == 0, "\(trained.errors)")
            try FileManager.default.moveItem(atPath: box("data"), toPath: box("elsewhere"))
            let resumed = try tiny.run(TinyTraining.resuming + ["--set", "training.epochs=2"])
            #expect(resumed.status == 66, "\(resumed.errors)")
            let command = try #require(resumed.errors.split(separator: "\n").last { $0.hasPrefix("  ") }).dropFirst(2)
            #expect(command.hasSuffix("train --resume runs/train --set data.path=NEW_PLACE"), "\(resumed.errors)")
            let pasted = try CommandLineTool.run(
                [], in: box.path,
                through: ["/bin/bash", "-c", command.replacing("NEW_PLACE", with: moved) + " --set training.epochs=2", "--"])
            #expect(pasted.status == 0, "\(pasted.errors)")
            try FileManager.default.moveItem(atPath: box("elsewhere"), toPath: box("data"))
        }
    }

    @Test func addressesAreNotFiles() throws {
        try #require(try tiny.run().status == 0)
        for arguments in [["predict"], ["check"], ["inspect"]] {
            let result = try tiny.run(arguments + ["rtsp://camera/1?x=[2]"])
            #expect(
                result.status == 66 && words(result).contains("`ffmpeg -i 'rtsp://camera/1?x=[2]' -t 60 -c copy recording.mkv`"),
                "\(result)")
        }
        let trained = try tiny.run(TinyTraining.words + ["--set", "data.path=https://youtu.be/x"])
        #expect(trained.status == 66 && words(trained).contains("`yt-dlp -o video.mp4 https://youtu.be/x`"), "\(trained)")
    }

    /// `predict` says once that floats are not on the scale of bytes.
    @Test func floatsFromZeroToOne() throws {
        try #require(try tiny.run().status == 0)
        let count = 2 * 3 * 8 * 8
        let values = (0..<count).map { Float($0 % 100) / 99 }
        let array = FileBytes.npy(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 8, 8), }", values.withUnsafeBytes { Array($0) })
        for name in ["a.npy", "b.npy"] { try box.write(name, array) }
        let predicted = try box.run("predict", "a.npy", "b.npy")
        #expect(predicted.status == 0)
        #expect(words(predicted).components(separatedBy: "float32 values from 0 to 1 instead of 0 to 255").count == 2, "\(predicted)")
        try box.write("data/left/f.npy", array)
        #expect(words(try box.run("check", "data", "--no-cache")).contains("left/f.npy has float32 values from 0 to 1"))
    }

    @Test func importedWeightsAreKept() throws {
        let fixtures =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/VidCheckpointTests/Fixtures/"
        let environment: [String: String?] = ["XDG_CACHE_HOME": box("cache")]
        func importing(_ name: String, _ options: String...) throws -> CommandLineTool.Result {
            try CommandLineTool.run(["weights", "import", fixtures + name] + options, in: box.path, environment: environment)
        }
        #expect(try importing("keras1.h5").status == 0)
        #expect(try importing("keras1.h5").status == 0)
        let refused = try importing("keras1_half.h5")
        #expect(refused.status == 64 && refused.errors.contains("replace them with --replace"), "\(refused.errors)")
        #expect(try importing("keras1_half.h5", "--name", "half").status == 0)
        #expect(try importing("keras1_half.h5", "--replace").status == 0)
    }
}
