import Foundation
import Testing
import VidCheckpoint
import VidSystem
import VidTensor
import VidTestSupport

/// `train --from`: a training that starts from an older model.
@Suite struct WarmStartTests {
    private let training: TinyTraining
    private var box: TestFolder { training.box }
    /// Steps that change no weight.
    private let still = ["--set", "optimizer.learning_rate=1e-30", "--set", "training.epochs=1"]

    /// The older model is `runs/train`, with the classes left and right.
    init() throws {
        training = try TinyTraining()
        _ = try training.whole()
    }

    private func train(_ words: [String], _ more: [String] = []) throws -> CommandLineTool.Result {
        try CommandLineTool.run(["train", "--no-cache", "--threads", "1"] + words + more, in: box.path)
    }

    private func values(_ run: String, _ name: String) throws -> [Float] {
        let checkpoint = try Checkpoint.open(box(run + "/weights/best.safetensors"))
        let entry = try #require(checkpoint.tensor(named: name))
        let buffer = Buffer(count: entry.count)
        return try withExtendedLifetime(buffer) {
            let tensor = buffer.tensor(Shape(entry.shape))
            try checkpoint.copy(name, into: tensor)
            return tensor.array
        }
    }

    private func scores(_ run: String) throws -> String {
        try box.succeed("predict", "data", "--json", "--checkpoint", run + "/weights/best.safetensors").output
    }

    /// Copies the clips of `label` into `folder`, as clips of `name`.
    private func copy(_ label: String, to folder: String, as name: String) throws {
        try box.makeFolder(folder)
        try FileManager.default.copyItem(atPath: box("data/\(label)"), toPath: box("\(folder)/\(name)"))
    }

    @Test func theSameClassesGiveTheSameScores() throws {
        let started = try train(["--config", "config.json", "--from", "runs/train"], still)
        try #require(started.status == 0, "\(started.errors)")
        #expect(started.errors.contains("taken  cnn (1 layer), recurrent_0"))
        #expect(started.errors.contains("kept   the outputs of 2 classes: \"left\", \"right\""))
        #expect(!started.errors.contains("drawn"))
        #expect(try scores("runs/train2") == scores("runs/train"))
        let record = try JSONParser.parse(box.bytes("runs/train2/run.json"))
        #expect(record["from"]?["checkpoint"]?.stringValue == "runs/train/weights/best.safetensors")
        #expect(try record["from"]?["sha256"]?.stringValue == Checkpoint.open(box("runs/train/weights/best.safetensors")).checksum)
        #expect(try JSONParser.parse(box.bytes("runs/train/run.json"))["from"]?.isNull == true)
    }

    /// Other classes, in another order: the columns follow the labels; those of a new label are what the seed draws.
    @Test func otherClassesKeepTheirColumns() throws {
        try copy("right", to: "more", as: "right")
        try copy("left", to: "more", as: "middle")
        // Other clips than those of "middle": a clip with two labels would stop the training.
        try box.succeed(
            "synth", "others", "--classes", "2", "--clips-per-class", "4", "--frames", "2", "--rows", "8", "--columns", "8", "--seed", "9")
        try FileManager.default.moveItem(atPath: box("others/left"), toPath: box("more/a new one"))
        let started = try train(["more", "--from", "runs/train/weights/best.safetensors"], still)
        try #require(started.status == 0, "\(started.errors)")
        let said = started.errors
        #expect(said.contains("kept      the outputs of 1 class: \"right\""), "\(said)")
        #expect(said.contains("drawn     the outputs of 2 new classes: \"a new one\", \"middle\""))
        #expect(said.contains("left out  classes that this data does not have: \"left\""))
        #expect(started.output.hasSuffix("train --config runs/train2/config.json --from runs/train/weights/best.safetensors\n"))
        let drawn = try train(["more", "--config", "config.json"], still)
        try #require(drawn.status == 0, "\(drawn.errors)")
        for (name, rows) in [("output/kernel", 2), ("output/bias", 1)] {
            let (old, new, fresh) = (try values("runs/train", name), try values("runs/train2", name), try values("runs/train3", name))
            #expect(old.count == 2 * rows && new.count == 3 * rows && fresh.count == 3 * rows)
            for row in 0..<rows {
                #expect(new[3 * row + 2] == old[2 * row + 1], "\(name) of right")
                for column in 0..<2 {
                    #expect(abs(new[3 * row + column] - fresh[3 * row + column]) <= 1e-20, "\(name) of column \(column)")
                }
            }
        }
        #expect(try values("runs/train2", "recurrent_0/kernel") == values("runs/train", "recurrent_0/kernel"))
        #expect(try values("runs/train2", "cnn/block1_conv1/kernel") == values("runs/train", "cnn/block1_conv1/kernel"))
    }

    @Test func layersOfAnotherShapeAreDrawn() throws {
        let started = try train(["--config", "config.json", "--from", "runs/train"], still + ["--set", "model.recurrent.0.units=3"])
        try #require(started.status == 0, "\(started.errors)")
        for text in [
            "taken      cnn (1 layer)\n", "drawn      recurrent_0: recurrent_0/kernel is ", "drawn      output: output/kernel is ",
            "different  model.recurrent.0.units (2 to 3)",
        ] { #expect(started.errors.contains(text), "\(started.errors)") }
        #expect(try values("runs/train2", "cnn/block1_conv1/kernel") == values("runs/train", "cnn/block1_conv1/kernel"))
        #expect(try values("runs/train2", "output/kernel").count == 6)
    }

    /// Moving statistics come along.
    @Test func movingStatisticsAreTaken() throws {
        let normalized = ["--set", #"model.recurrent=[{"type":"batch_normalization"},{"type":"lstm","units":2}]"#]
        try #require(try train(["--config", "config.json", "--set", "output.name=norm"], normalized).status == 0)
        let before = try values("runs/norm", "recurrent_0/moving_variance")
        #expect(before.contains { abs($0 - 1) > 1e-4 })
        let events = try train(
            ["--config", "config.json", "--from", "runs/norm", "--json", "--dry-run", "--set", "training.batch_size=2"], normalized)
        let from = try #require(events.output.split(separator: "\n").first.map { try JSONParser.parse(Array($0.utf8)) })
        #expect(from["event"]?.stringValue == "from" && from["drawn"]?.arrayElements?.isEmpty == true)
        #expect(from["taken"]?.arrayElements?.compactMap(\.stringValue) == ["cnn/block1_conv1", "recurrent_0", "recurrent_1"])
        // The state that the training starts from holds them.
        let stopped = try train(
            ["--config", "config.json", "--from", "runs/norm", "--set", "training.max_minutes=1e-9", "--set", "output.name=stopped"],
            normalized)
        #expect(stopped.status == 0, "\(stopped.errors)")
        let saved = try Checkpoint.open(box("runs/stopped/weights/last.safetensors"))
        let buffer = Buffer(count: before.count)
        try withExtendedLifetime(buffer) {
            try saved.copy("recurrent_0/moving_variance", into: buffer.tensor([before.count]))
            #expect(buffer.tensor([before.count]).array == before)
        }
    }

    /// A resumed run needs the older model no more, and gives the bytes of an uninterrupted one.
    @Test func aResumedRunIsSufficientAlone() throws {
        let words = ["--config", "config.json", "--from", "runs/train", "--set", "output.name=warm"]
        let whole = try train(words)
        try #require(whole.status == 0, "\(whole.errors)")
        let expected = try box.trained("runs/warm")
        try box.remove("runs/warm")
        #expect(try train(words, ["--set", "training.max_minutes=1e-9"]).status == 0)
        try box.remove("runs/train")
        try box.succeed("train", "--resume", "runs/warm", "--set", "training.max_minutes=null", "--no-cache", "--threads", "1")
        #expect(try box.trained("runs/warm") == expected)
        #expect(try JSONParser.parse(box.bytes("runs/warm/run.json"))["from"]?["sha256"]?.stringValue?.count == 64)
    }

    /// What cannot fit is refused, with settings that help.
    @Test(arguments: [["data.preprocessing=symmetric"], [#"model.cnn.architecture={"blocks":[[3]]}"#, "data.preprocessing=none"]])
    func refusals(settings: [String]) throws {
        let words = ["--config", "config.json", "--from", "runs/train"] + settings.flatMap { ["--set", $0] }
        let refused = try train(words)
        #expect(refused.status == 65 && refused.errors.contains("this training cannot start from it"), "\(refused.errors)")
        let advice = try #require(refused.errors.split(separator: "\n").last { $0.hasPrefix("  --set ") })
        let repaired = try CommandLineTool.run(
            [], in: box.path,
            through: ["/bin/bash", "-c", ShellText.command([CommandLineTool.path, "train"] + words) + advice, "--"])
        #expect(repaired.status == 0, "\(advice): \(repaired.errors)")
        #expect(try train(["data", "--from", "config.json"]).status == 65)
        #expect(try train(["data", "--from", "nowhere"]).status == 66)
    }
}
