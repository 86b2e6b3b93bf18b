import Foundation
import Testing
import VidCheckpoint
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// The notes of `predict` and `eval` about inputs that look unlike the training clips.
@Suite struct FamiliarityTests {
    private let box: TestFolder

    private static func config(frozen: Bool, pooling: String = "flatten") -> String {
        """
        { "seed": 3,
          "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null, "trainable": \(!frozen), "pooling": "\(pooling)" },
                     "recurrent": [ { "type": "lstm", "units": 4 } ], "hidden": [] },
          "data": { "path": "data", "preprocessing": "symmetric", "leak_check": "off" },
          "output": { "tensorboard": false },
          "training": { "epochs": 2, "batch_size": 8 } }
        """
    }

    init() throws {
        box = try TestFolder(config: FamiliarityTests.config(frozen: false), classes: 2, clips: 20)
        try box.write("frozen.json", text: FamiliarityTests.config(frozen: true, pooling: "average"))
        // Blue stripes of one pixel: no synthetic clip looks like them.
        let shape = ClipShape(frames: 4, channels: 3, rows: 16, columns: 16)
        let pixels = (0..<shape.count).map { UInt8($0 % 2 == 0 && $0 / 256 % 3 == 2 ? 255 : 0) }
        try box.makeFolder("odd/left")
        try ClipFile.write(Clip(shape: shape, pixels: .bytes(pixels), framesPerSecond: 8), to: box("odd/left/stripes.bin"))
    }

    private let best = "runs/train/weights/best.safetensors"

    private func json(_ words: String...) throws -> JSONNode {
        let result = try CommandLineTool.run(words, in: box.path)
        try #require(result.status == 0, "\(result.errors)")
        return try JSONParser.parse(Array(result.output.utf8))
    }

    /// The tensors of a checkpoint; its header names the run's folder.
    private func values(_ path: String) throws -> ArraySlice<UInt8> {
        try box.bytes(path)[Checkpoint.open(box(path)).file.dataStart...]
    }

    @Test func unfamiliarInputsAreMarked() throws {
        try box.succeed("train", "--config", "config.json", "--quiet")
        let known = try json("predict", "data", "--json")
        let flags = (known.arrayElements ?? []).map { $0["unfamiliar"]?.boolValue }
        #expect(flags.count == 40 && flags.allSatisfy { $0 == false }, "\(flags)")
        #expect((known.arrayElements ?? []).allSatisfy { (0...100).contains($0["distance_percentile"]?.doubleValue ?? .nan) })

        let odd = try json("predict", "odd/left/stripes.bin", "--json")
        #expect(odd.arrayElements?[0]["unfamiliar"]?.boolValue == true && odd.arrayElements?[0]["distance_percentile"]?.doubleValue == 100)
        let csv = try CSVTable(
            Array(try box.succeed("predict", "odd/left/stripes.bin", "data/left/000.bin", "--format", "csv").output.utf8), path: "output")
        let column = try #require(csv.header.firstIndex(of: "unfamiliar"))
        #expect(csv.records.map { $0.fields[column] } == ["true", "false"])

        let note = "looks unlike the training clips: treat the answer with care."
        let text = try box.succeed("predict", "odd/left/stripes.bin", "data/left/000.bin").output
        #expect(text.components(separatedBy: "  This \(note)\n").count == 2, "\(text)")
        let timeline = try box.succeed("predict", "odd/left/stripes.bin", "--window", "0.25").output
        #expect(timeline.contains(" %  *") && timeline.hasSuffix("  * \(note)\n"), "\(timeline)")
        #expect(try !box.succeed("predict", "data/left/000.bin", "--window", "0.5").output.contains("*"))
        let windows = try json("predict", "odd/left/stripes.bin", "--window", "0.25", "--json").arrayElements?[0]["windows"]
        #expect(windows?.arrayElements?.count == 2 && windows?.arrayElements?.allSatisfy { $0["unfamiliar"]?.boolValue == true } == true)

        #expect(try json("eval", "--data", "odd", "--json", "--no-report")["unfamiliar_clips"]?.intValue == 1)
        #expect(try box.succeed("eval", "--data", "odd", "--no-report").output.contains("1 clip looks unlike the training clips."))
        #expect(try json("eval", "--json", "--no-report")["unfamiliar_clips"]?.intValue == 0)

        // A checkpoint without it says nothing.
        let last = try json("predict", "odd/left/stripes.bin", "--json", "--checkpoint", "runs/train/weights/last.safetensors")
        #expect(last.arrayElements?[0]["unfamiliar"] == .some(.null) && last.arrayElements?[0]["distance_percentile"] == .some(.null))
        let silent = try box.succeed("predict", "odd/left/stripes.bin", "--checkpoint", "runs/train/weights/last.safetensors").output
        #expect(!silent.contains("unlike"))
    }

    /// Any number of threads, features from memory, from the cache or computed again, and a training in two pieces.
    @Test(arguments: ["config.json", "frozen.json"]) func theSameTrainingGivesTheSameBytes(_ config: String) throws {
        try box.succeed("train", "--config", config, "--quiet", "--no-cache", "--threads", "1")
        let expected = try box.bytes(best)
        #expect(String(decoding: expected, as: UTF8.self).contains("familiarity/features"))
        let tensors = try values(best)
        // The second one finds features in the cache.
        for name in ["other", "other2"] {
            try box.succeed("train", "--config", config, "--quiet", "--threads", "2", "--set", "output.name=other")
            #expect(try values("runs/\(name)/weights/best.safetensors") == tensors)
        }

        // A finished run without it, as an earlier version leaves it, gets it.
        try TrainedModel.rewrite(
            box(best), to: box(best), splits: Checkpoint.open(box(best)).splits, keeps: { !$0.hasPrefix("familiarity/") })
        try #require(try box.bytes(best) != expected)
        try box.succeed("train", "--resume", "runs/train", "--quiet", "--no-cache")
        #expect(try box.bytes(best) == expected)

        try box.succeed("train", "--config", config, "--quiet", "--no-cache", "--set", "output.name=two", "--set", "training.epochs=1")
        try box.succeed("train", "--resume", "runs/two", "--quiet", "--no-cache", "--set", "training.epochs=2")
        #expect(try values("runs/two/weights/best.safetensors") == tensors)
    }

    @Test func fewClipsAreNoBasis() throws {
        try box.synthesize("few", classes: 2, clips: 8, frames: 4, size: 16)
        try box.succeed("train", "--config", "config.json", "--quiet", "--set", "data.path=few")
        #expect(try json("predict", "odd/left/stripes.bin", "--json").arrayElements?[0]["unfamiliar"] == .some(.null))
        let before = try box.bytes(best)
        try box.succeed("train", "--resume", "runs/train", "--quiet")
        #expect(try box.bytes(best) == before)
    }
}
