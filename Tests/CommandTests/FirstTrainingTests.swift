import Foundation
import Testing
import VidConfig
import VidSystem
import VidTestSupport

/// `vidclass train DATA`: a training whose configuration the program chooses.
@Suite struct FirstTrainingTests {
    private let box: TestFolder

    init() throws {
        box = try TestFolder()
        try box.synthesize(classes: 2, clips: 5, frames: 4, size: 16)
    }

    private func configuration(_ run: String) throws -> RunConfiguration { try RunConfiguration.load(path: box(run + "/config.json")) }

    /// It chooses what `init` chooses, and the run's configuration repeats it to the last byte.
    @Test func theRunHasTheChosenConfiguration() throws {
        let trained = try box.run("train", "data", "--set", "training.epochs=2")
        try #require(trained.status == 0, "\(trained.errors)")
        #expect(!box.exists("config.json"))
        let said = trained.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(said.contains("Chosen for this data") && said.contains("model.cnn: 2 small blocks, from scratch (frames of 16x16"))
        #expect(said.contains("The training will take up to some") && said.contains("up to 2 epochs of"))
        // The user's own settings are not said to be chosen.
        #expect(!said.contains("training.epochs:") && said.contains("training.batch_size:"))
        let command = try #require(trained.output.split(separator: "\n").last.map(String.init))
        #expect(command.hasSuffix("train --config runs/train/config.json"))

        try box.succeed("init", "data")
        let chosen = try RunConfiguration.load(path: box("config.json"), overrides: ["training.epochs=2"])
        #expect(try configuration("runs/train") == chosen)
        try box.succeed("train", "--config", "runs/train/config.json", "--quiet")
        #expect(try box.bytes("runs/train2/weights/best.safetensors") == box.bytes("runs/train/weights/best.safetensors"))
    }

    /// The summary says whose accuracy it is, and each number once.
    @Test(arguments: [
        ("0.2", "val_categorical_accuracy", #"Best epoch 1: accuracy \S+, loss \S+\n"#),
        ("0.2", "loss", #"Best epoch 1: accuracy \S+, loss \S+, training loss \S+\n"#),
        ("0.2", "val_loss", #"Best epoch 1: accuracy \S+, loss \S+\n"#),
        ("0", "loss", #"Best epoch 1: training accuracy \S+, loss \S+\n"#),
    ])
    func theSummarySaysWhoseAccuracyItIs(share: String, monitor: String, expected: String) throws {
        let trained = try box.run(
            "train", "data", "--quiet", "--set", "training.epochs=1", "--set", "data.validation_split=\(share)", "--set",
            "training.monitor=\(monitor)")
        let line = try Regex(expected)
        #expect(trained.status == 0 && trained.output.contains(line), "\(trained.output)\(trained.errors)")
    }

    @Test func aDryRunWritesNothing() throws {
        let shown = try box.run("train", "data", "--dry-run")
        #expect(
            shown.status == 0 && shown.output.contains("\n  total ") && shown.errors.contains("Chosen for this data"), "\(shown.errors)")
        #expect(try box.names().filter { !$0.hasPrefix(".") } == ["data"])
    }

    @Test func jsonTellsChoicesAndTime() throws {
        let trained = try box.run("train", "data", "--json", "--quiet", "--set", "training.epochs=1")
        #expect(trained.status == 0 && trained.errors.isEmpty, "\(trained.errors)")
        let events = try trained.output.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
        #expect(events.prefix(3).map { $0["event"]?.stringValue } == ["chosen", "estimate", "start"])
        let choice = events[0]["choices"]?.arrayElements?.first { $0["key"]?.stringValue == "model.input.frames" }
        #expect(choice?["value"]?.stringValue == "4" && choice?["because"]?.stringValue?.contains("4 frames") == true)
        #expect(events[1]["epochs"]?.intValue == 1)
    }

    /// Bad clips are left out, as `init` decides.
    @Test func badClipsAndFolds() throws {
        let label = try #require(try box.names("data").first { !$0.hasPrefix(".") })
        try box.write("data/\(label)/bad.bin", [1, 2, 3])
        let trained = try box.run("train", "data", "--folds", "2", "--set", "training.epochs=1")
        #expect(trained.status == 0 && trained.output.contains("mean"), "\(trained.errors)")
        #expect(String(decoding: try box.bytes("runs/train/skipped.csv"), as: UTF8.self).contains("bad.bin"))
        #expect(try configuration("runs/train/fold2").data.skipBadClips)
    }

    /// Without pre-trained weights it says how to get them, and trains a small CNN only if it is asked to.
    @Test func missingWeights() throws {
        try box.synthesize("clips", classes: 2, clips: 3, frames: 2, size: 64)
        let environment: [String: String?] = ["HOME": box.path, "KERAS_HOME": nil]
        let refused = try box.run("train", "clips", environment: environment)
        #expect(refused.status == 66 && refused.errors.contains("weights fetch vgg16`") && refused.errors.contains("--from-scratch"))
        #expect(!box.exists("runs"))
        let trained = try box.run("train", "clips", "--from-scratch", "--set", "training.epochs=1", environment: environment)
        #expect(trained.status == 0, "\(trained.errors)")
        let cnn = try #require(try configuration("runs/train").model.cnn)
        #expect(cnn.weights == nil && cnn.trainable == .all && cnn.architecture.name == nil)
        // A setting does the same.
        let set = try CommandLineTool.run(
            ["train", "clips", "--dry-run"]
                + ["model.cnn.weights=null", "model.cnn.trainable=true", "model.cnn.architecture={\"blocks\":[[2]]}"]
                .flatMap { ["--set", $0] }, in: box.path, environment: environment)
        #expect(set.status == 0, "\(set.errors)")
    }

    /// With a configuration, the argument replaces its data.
    @Test func dataOfAConfiguration() throws {
        try box.write(
            "c.json",
            text:
                #"{"data": {"path": "elsewhere"}, "training": {"epochs": 1}, "model": {"input": {"frames": 2, "rows": 16, "columns": 16}, "cnn": {"architecture": {"blocks": [[2]]}, "weights": null}}}"#
        )
        try box.succeed("train", "data", "--config", "c.json", "--quiet")
        #expect(try configuration("runs/train").data.path == "data")
        // A number is a name, too.
        try FileManager.default.moveItem(atPath: box("data"), toPath: box("12"))
        try box.succeed("train", "12", "--config", "c.json", "--quiet")
        #expect(try configuration("runs/train2").data.path == "12")
    }

    @Test(arguments: [
        [], ["data", "more"], ["data", "--resume", "runs/train"], ["data", "--set", "data.path=other"],
        ["data", "--from-scratch", "--config", "c.json"],
        ["--from-scratch"], ["--from", "x.safetensors"], ["--resume", "--from", "x.safetensors"],
        ["data", "--from", "x.safetensors", "--folds", "2"],
    ])
    func wrongUsage(words: [String]) throws {
        let result = try CommandLineTool.run(["train"] + words, in: box.path)
        #expect(result.status == 64 && !box.exists("runs"), "\(result.errors)")
    }

    @Test func missingData() throws {
        let result = try box.run("train", "nowhere")
        #expect(result.status == 66 && result.errors.contains("nowhere: no such file or folder"), "\(result.errors)")
    }
}
