import Foundation
import Testing
import VidTestSupport

/// `train --json`, one line per event, and TensorBoard's files of the same trainings.
@Suite struct TrainingStreamTests {
    private static let config = """
        { "seed": 5,
          "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null },
                     "recurrent": [ { "type": "lstm", "units": 8 } ], "hidden": [ { "type": "dense", "units": 8 } ] },
          "data": { "path": "data", "validation_split": 0.25, "preprocessing": "symmetric" },
          "training": { "epochs": 6, "batch_size": 6, "reduce_lr_on_plateau": { "patience": 1, "min_delta": 10 } },
          "stages": [ { "epochs": 3 }, { "trainable": true, "learning_rate": 0.001 } ] }
        """

    private func sandbox() throws -> TestFolder { try TestFolder(config: Self.config, classes: 3, clips: 8) }

    private func events(_ output: String) throws -> [[String: Any]] {
        try output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    private func names(_ events: [[String: Any]]) -> [String] { events.compactMap { $0["event"] as? String } }

    private func eventFiles(_ box: TestFolder, _ run: String = "runs/train") throws -> [String] {
        try box.names(run).filter { $0.hasPrefix("events.out.tfevents.") }
    }

    @Test func everyEpochIsALineWithTheFiguresOfResults() throws {
        let box = try sandbox()
        let trained = try box.run("train", "--config", "config.json", "--json", "--quiet")
        try #require(trained.status == 0, "\(trained.errors)")
        #expect(trained.errors.isEmpty)
        let events = try events(trained.output)
        #expect(
            names(events).filter { $0 != "encoding" && $0 != "learning_rate_reduced" } == [
                "start", "epoch", "epoch", "epoch", "stage", "epoch", "epoch", "epoch", "end",
            ])
        #expect(names(events).contains("encoding") && names(events).contains("learning_rate_reduced"))
        #expect(events[0]["classes"] as? [String] == ["left", "right", "up"] && events[0]["resumed"] as? Bool == false)
        let rows = String(decoding: try box.bytes("runs/train/results.csv"), as: UTF8.self).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let epochs = events.filter { $0["event"] as? String == "epoch" }
        #expect(epochs.count == 6)
        // Compared as text: a JSON reader may round the last digit differently.
        let lines = trained.output.split(separator: "\n").filter { $0.contains("\"event\":\"epoch\"") }
        for (row, line) in zip(rows.dropFirst(), lines) {
            for (column, name) in rows[0].enumerated() where name != "time" {
                #expect(line.contains("\"\(name)\":\(row[column]),"), "\(name) \(row[column]): \(line)")
            }
        }
        let end = try #require(events.last)
        #expect(end["best_checkpoint"] as? String == "runs/train/weights/best.safetensors")
        #expect(end["tensorboard"] as? String == "runs/train" && end["stop_reason"] as? String == "epochs")
        let best = epochs.last { $0["best"] as? Bool == true }
        #expect(end["best_epoch"] as? Int == best?["epoch"] as? Int)
        #expect(try eventFiles(box).count == 1)
    }

    @Test func stoppedResumedFoldedAndFailed() throws {
        let box = try sandbox()
        let stopped = try box.run(
            "train", "--config", "config.json", "--json", "--set", "training.max_minutes=0.002", "--set", "training.epochs=4000")
        try #require(stopped.status == 0, "\(stopped.errors)")
        #expect(names(try events(stopped.output)).suffix(2) == ["interrupted", "end"])
        let files = try eventFiles(box)
        let resumed = try box.run("train", "--resume", "--json", "--quiet", "--set", "training.max_minutes=0.001")
        let start = try #require(try events(resumed.output).first)
        // The number of finished epochs depends on the machine's speed.
        #expect(start["resumed"] as? Bool == true && start["epochs_done"] is Int)
        #expect(try eventFiles(box).count == 2 && Array(try eventFiles(box).prefix(1)) == files)

        let off = try CommandLineTool.run(
            [
                "train", "--config", "config.json", "--quiet", "--json", "--set", "output.exist_ok=true", "--set",
                "output.tensorboard=false",
            ],
            in: box.path)
        try #require(off.status == 0, "\(off.errors)")
        #expect(try eventFiles(box).isEmpty)
        #expect(try events(off.output).last?["tensorboard"] is NSNull)

        let folds = try events(
            try box.run("train", "--config", "config.json", "--json", "--quiet", "--folds", "2", "--set", "output.name=folds").output)
        #expect(folds.dropLast().allSatisfy { $0["folds"] as? Int == 2 && $0["fold"] is Int })
        #expect(names(folds).count { $0 == "end" } == 3 && folds.last?["fold"] == nil && folds.last?["event"] as? String == "end")

        let failed = try box.run("train", "--config", "config.json", "--json", "--set", "data.path=nowhere")
        let event = try #require(try events(failed.output).last)
        #expect(failed.status == 66 && event["event"] as? String == "failed" && event["exit_code"] as? Int == 66)
        let dry = try events(try box.run("train", "--config", "config.json", "--json", "--dry-run", "--quiet", "--no-cache").output)
        #expect(names(dry) == ["estimate"])
    }

    @Test func verboseSaysMoreAndExcludesQuiet() throws {
        let box = try sandbox()
        let verbose = try box.run("train", "--config", "config.json", "--verbose")
        try #require(verbose.status == 0, "\(verbose.errors)")
        for word in ["macro F1", "loading", "saved runs/train/weights/last.safetensors", "kept in memory", "frames 1 to"] {
            #expect(verbose.errors.contains(word), "\(word)")
        }
        #expect(verbose.output.contains("Next:") && !verbose.errors.contains("\u{1B}"))
        #expect(try box.run("train", "--config", "config.json", "--verbose", "--quiet").status == 64)
    }

    /// In batches of one clip, those of the class without weight have a loss of 0.
    @Test func aClassOfWeightZeroTrains() throws {
        let box = try sandbox()
        let trained = try box.run(
            "train", "--config", "config.json", "--json", "--quiet", "--set", "training.class_weights={\"left\":0}", "--set",
            "training.batch_size=1")
        try #require(trained.status == 0, "\(trained.errors)")
        let epochs = try events(trained.output).filter { $0["event"] as? String == "epoch" }
        #expect(epochs.count == 6)
        for epoch in epochs {
            let (loss, validation) = (epoch["train/loss"] as? Double ?? .nan, epoch["val/loss"] as? Double ?? .nan)
            #expect(loss > 0 && loss < 10 && validation > 0 && validation < 100)
        }
        let evaluated = try box.run("eval", "--json", "--no-report")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
    }
}
