import Foundation
import Testing
import VidTestSupport

/// The reports that `train` and `eval` write.
@Suite struct ReportCommandTests {
    private static let config = """
        { "seed": 3,
          "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null },
                     "recurrent": [ { "type": "lstm", "units": 8 } ], "hidden": [] },
          "data": { "path": "data", "validation_split": 0.25, "preprocessing": "symmetric", "leak_check": "report" },
          "training": { "epochs": 2, "batch_size": 5 } }
        """

    private func sandbox() throws -> TestFolder { try TestFolder(config: Self.config, classes: 3, clips: 8) }

    private func text(_ box: TestFolder, _ name: String) throws -> String { String(decoding: try box.bytes(name), as: UTF8.self) }

    @Test func aTrainingAndAnEvaluationOfItsClipsSayTheSame() throws {
        let box = try sandbox()
        try box.succeed("train", "--config", "config.json", "--quiet", "--no-cache")
        for file in ["report.html", "results.svg", "confusion_matrix.svg", "environment.json", "predictions.csv", "data.json"] {
            #expect(box.exists("runs/train/" + file), "\(file)")
        }
        #expect(try text(box, "runs/train/report.html").contains("validation clips"))
        let kept = ["weights/last.safetensors", "weights/best.safetensors", "results.csv", "predictions.csv"]
        let before = try kept.map { try box.bytes("runs/train/" + $0) }
        try box.succeed("eval", "--no-cache")
        #expect(try kept.map { try box.bytes("runs/train/" + $0) } == before)
        #expect(!box.exists("runs/train/eval"))

        // Another split gets its own folder, and --no-report writes nothing.
        #expect(try box.run("eval", "--split", "train").status == 0)
        #expect(try box.run("eval", "--split", "train", "--no-report").status == 0)
        #expect(try box.run("eval", "--split", "train", "--output", "here").status == 0)
        #expect(box.exists("runs/train/eval/report.html") && !box.exists("runs/train/eval2") && box.exists("here/predictions.csv"))
    }

    /// With features from the cache the CNN runs only on the frames that a picture shows, and the pictures are the same.
    @Test func picturesFromTheCacheAreThoseOfTheWholeCNN() throws {
        let box = try sandbox()
        let trained = try box.run(
            "train", "--config", "config.json", "--quiet", "--set", "model.input.frames=9", environment: ["XDG_CACHE_HOME": box("cache")])
        #expect(trained.status == 0, "\(trained.errors)")
        try box.succeed("eval", "--no-cache", "--output", "whole")
        let pictures = try ["runs/train", "whole"].map {
            try text(box, $0 + "/report.html").split(separator: "\"data:image/png").dropFirst()
        }
        #expect(pictures[0].count >= 3 && box.exists("cache/vidclass/features"))
        #expect(pictures[0].map { $0.prefix { $0 != "\"" } } == pictures[1].map { $0.prefix { $0 != "\"" } })
    }

    /// The best model's CNN differs from the last stage's, whose features are in memory.
    @Test func aBestModelOfAnEarlierStageIsReportedWithItsOwnFeatures() throws {
        let box = try sandbox()
        let stages = """
            stages=[{"epochs": 4, "trainable": true, "learning_rate": 0.01}, {"epochs": 1, "trainable": true, "learning_rate": 1},
                    {"epochs": 1, "trainable": false, "learning_rate": 0.00001}]
            """
        try box.succeed("train", "--config", "config.json", "--quiet", "--set", stages, "--set", "training.epochs=6")
        let reported = try box.bytes("runs/train/predictions.csv")
        #expect(try box.run("eval", "--no-cache").status == 0)
        #expect(try box.bytes("runs/train/predictions.csv") == reported)
    }

    @Test func labelsThatTheModelDoesNotKnowAreNamedOrLeftOut() throws {
        let box = try sandbox()
        #expect(try box.run("train", "--config", "config.json", "--quiet").status == 0)
        let files = FileManager.default
        try files.createDirectory(atPath: box("other"), withIntermediateDirectories: true)
        try files.copyItem(atPath: box("data/right"), toPath: box("other/rihgt"))
        try files.copyItem(atPath: box("data/left"), toPath: box("other/left"))
        let refused = try box.run("eval", "--data", "other")
        #expect(refused.status == 65)
        #expect(refused.errors.contains("\"rihgt\" (8 clips; \"right\"?)"), "\(refused.errors)")
        let evaluated = try box.run("eval", "--data", "other", "--ignore-unknown-labels")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        #expect(evaluated.errors.contains("8 clips left out"))
        #expect(try text(box, "runs/train/eval/report.html").contains("8 clips were left out because the model does not know the label"))
    }

    @Test func aReportThatCannotBeWrittenLeavesTheTrainingFinished() throws {
        let box = try sandbox()
        #expect(try box.run("train", "--config", "config.json", "--quiet").status == 0)
        // A folder is in the place of the page.
        try FileManager.default.removeItem(atPath: box("runs/train/report.html"))
        try FileManager.default.createDirectory(atPath: box("runs/train/report.html/x"), withIntermediateDirectories: true)
        let resumed = try box.run("train", "--resume", "runs/train", "--set", "training.epochs=3")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(resumed.errors.contains("its report could not be made"), "\(resumed.errors)")
        #expect(try text(box, "runs/train/run.json").contains("\"finished\""))
        #expect(try text(box, "runs/train/results.csv").split(separator: "\n").count == 4)
    }
}
