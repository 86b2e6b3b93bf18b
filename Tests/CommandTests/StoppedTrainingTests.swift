import Foundation
import Testing
import VidSystem
import VidTestSupport

/// Trainings that are killed, interrupted, stopped by the clock, extended, and trained in folds.
/// (`maintain.resume` kills more of them.)
@Suite(.serialized) struct StoppedTrainingTests {
    /// A configuration with everything that is random, in two stages.
    private static let config = """
        { "seed": 5,
          "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null },
                     "recurrent": [ { "type": "batch_normalization", "momentum": 0.9 }, { "type": "lstm", "units": 8, "dropout": 0.2 } ],
                     "hidden": [ { "type": "dense", "units": 8 }, { "type": "dropout", "rate": 0.3 } ] },
          "optimizer": { "gradient_accumulation_steps": 2 },
          "data": { "path": "data", "validation_split": 0.25, "preprocessing": "symmetric", "sampling": { "type": "random" } },
          "augmentation": { "horizontal_flip": 0.5, "random_resized_crop": { "scale": 0.7 }, "brightness": 0.2, "contrast": 0.2,
                            "saturation": 0.2, "rotation": 5, "frame_drop": 0.1, "mixup": 0.2 },
          "training": { "epochs": 16, "batch_size": 3, "save_every_minutes": 0.0005, "save_every_epochs": 5, "class_weights": "balanced",
                        "early_stopping": { "patience": 7, "restore_best_weights": true },
                        "reduce_lr_on_plateau": { "patience": 1, "factor": 0.5 },
                        "learning_rate_schedule": { "type": "cosine", "warmup_epochs": 0.5 } },
          "stages": [ { "epochs": 8, "trainable": false, "learning_rate": 0.004 }, { "trainable": "block2_conv1", "learning_rate": 0.001 } ],
          "evaluation": { "clips": 2 } }
        """

    private func sandbox() throws -> TestFolder { try TestFolder(config: Self.config, classes: 3, clips: 12, frames: 9) }

    private func files(_ box: TestFolder, _ run: String) throws -> [String: [UInt8]] { try box.trained(run) }

    @Test func killedAtAnyMomentItEndsInTheSameBytes() throws {
        let box = try sandbox()
        let start = Date()
        try box.succeed("train", "--config", "config.json", "--quiet")
        let seconds = Date().timeIntervalSince(start)
        let expected = try files(box, "runs/train")
        #expect(Set(expected.keys).isSuperset(of: ["last.safetensors", "best.safetensors", "epoch5.safetensors", "splits.csv"]))
        for (number, share) in [0.15, 0.4, 0.7, 0.95].enumerated() {
            let run = "killed\(number)/train"
            let arguments = ["--set", "output.directory=killed\(number)", "--quiet"]
            let process = try CommandLineTool.start(["train", "--config", "config.json"] + arguments, in: box.path)
            usleep(UInt32(share * seconds * 1e6))
            kill(process.processIdentifier, number.isMultiple(of: 2) ? SIGKILL : SIGTERM)
            process.waitUntilExit()
            // If it was killed before there was anything to resume, it starts again in the same folder.
            let isBegun = box.exists(run + "/config.json")
            let resumed = try CommandLineTool.run(
                ["train"]
                    + (isBegun ? ["--resume", run, "--quiet"] : ["--config", "config.json", "--set", "output.exist_ok=true"] + arguments),
                in: box.path)
            #expect(resumed.status == 0, "\(resumed.errors)")
            guard isBegun else { continue }
            let found = try files(box, run)
            #expect(found.keys.sorted() == expected.keys.sorted())
            // The models' configuration holds the folder's name.
            for (name, bytes) in found where !name.hasSuffix(".safetensors") { #expect(bytes == expected[name], "\(name), run \(number)") }
            for name in expected.keys where name.hasSuffix(".safetensors") {
                #expect(try tensors(found[name] ?? []) == tensors(expected[name] ?? []), "\(name), run \(number)")
            }
        }
    }

    /// The bytes after the header of a safetensors file.
    private func tensors(_ file: [UInt8]) throws -> ArraySlice<UInt8> {
        try #require(file.count > 8)
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        return file.dropFirst(8 + length)
    }

    @Test func everythingRandomIsTheSameAgainAtAnyThreadCountAndOtherFromAnotherSeed() throws {
        let box = try sandbox()
        for words in [["--threads", "1"], ["--threads", "2"], ["--set", "seed=6"]] {
            let trained = try CommandLineTool.run(["train", "--config", "config.json", "--quiet"] + words, in: box.path)
            try #require(trained.status == 0, "\(trained.errors)")
        }
        let first = try files(box, "runs/train")
        #expect(try files(box, "runs/train2") == first)
        let other = try files(box, "runs/train3")
        for name in ["last.safetensors", "best.safetensors", "splits.csv", "results.csv"] { #expect(other[name] != first[name], "\(name)") }
    }

    /// If any byte of the last state is flipped, or all of it is lost, the run resumes from the state before it, to the same bytes.
    @Test(arguments: [false, true]) func aDamagedLastStateFallsBackToTheOneBefore(isLost: Bool) throws {
        let box = try sandbox()
        try #require(try box.run("train", "--config", "config.json", "--quiet").status == 0)
        let expected = try files(box, "runs/train")
        let previous = try box.bytes("runs/train/weights/previous.safetensors")
        let last = "runs/train/weights/last.safetensors"
        if isLost {
            try box.remove(last)
        } else {
            var bytes = try box.bytes(last)
            bytes[bytes.count * 2 / 3] ^= 1
            try box.write(last, bytes)
        }
        let resumed = try box.run("train", "--resume", "runs/train")
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(
            resumed.errors.contains("warning: runs/train/weights/last.safetensors: ") && resumed.errors.contains("previous.safetensors"))
        var found = try files(box, "runs/train")
        #expect(found.removeValue(forKey: "last.safetensors.damaged") == nil || !isLost)
        #expect(found == expected)
        #expect(!previous.isEmpty)
    }

    @Test func withoutAnyWholeStateNothingIsStartedOver() throws {
        let box = try sandbox()
        try #require(try box.run("train", "--config", "config.json", "--quiet").status == 0)
        let results = try box.bytes("runs/train/results.csv")
        for name in ["last", "previous"] { try box.write("runs/train/weights/\(name).safetensors", [1, 2, 3]) }
        let resumed = try box.run("train", "--resume", "runs/train")
        #expect(resumed.status == 65)
        #expect(resumed.errors.contains("last.safetensors") && resumed.errors.contains("cannot be resumed"), "\(resumed.errors)")
        #expect(try box.bytes("runs/train/results.csv") == results)
        #expect(try box.bytes("runs/train/weights/last.safetensors") == [1, 2, 3])
    }

    @Test func aTimeLimitEndsItResumably() throws {
        let box = try sandbox()
        let limited = try box.run(
            "train", "--config", "config.json", "--json", "--set", "training.max_minutes=0.003", "--set", "training.epochs=4000")
        #expect(limited.status == 0, "\(limited.errors)")
        #expect(limited.output.contains("\"max_minutes\"") && limited.errors.contains("--resume runs/train"), "\(limited.errors)")
        let record = String(decoding: try box.bytes("runs/train/run.json"), as: UTF8.self)
        #expect(record.contains("\"interrupted\"") && record.contains("\"max_minutes\""))
        let resumed = try box.run(
            "train", "--resume", "runs/train", "--quiet", "--set", "training.max_minutes=null", "--set", "training.epochs=9")
        #expect(resumed.status == 0 || resumed.status == 65, "\(resumed.errors)")
    }

    @Test func anEarlyEndSaysSoAndCanBeGoneBeyond() throws {
        let box = try sandbox()
        let plain = ["--set", "stages=[]", "--set", "training.early_stopping.patience=2", "--set", "optimizer.learning_rate=1e-9"]
        let ended = try CommandLineTool.run(["train", "--config", "config.json", "--json"] + plain, in: box.path)
        #expect(ended.status == 0, "\(ended.errors)")
        #expect(ended.output.contains("\"early_stopping\""), "\(ended.output)")
        let again = try box.run("train", "--resume", "runs/train", "--quiet")
        #expect(again.status == 0 && again.errors.contains("nothing to do"), "\(again.errors)")
        #expect(again.output.contains("--resume runs/train --set training.early_stopping.patience=null\n"), "\(again.output)")
        let beyond = try box.run("train", "--resume", "runs/train", "--json", "--set", "training.early_stopping.patience=null")
        #expect(beyond.status == 0 && beyond.output.contains("\"epochs\":16"), "\(beyond.errors) \(beyond.output)")
    }

    @Test func aDryRunMeasuresAndWritesNothing() throws {
        let box = try sandbox()
        let before = try FileManager.default.contentsOfDirectory(atPath: box.path).sorted()
        let dry = try box.run("train", "--config", "config.json", "--dry-run", "--json", "--quiet", "--no-cache")
        #expect(dry.status == 0, "\(dry.errors)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(dry.output.utf8)) as? [String: Any])
        for key in ["parameters", "memory_bytes", "disk_bytes", "seconds_per_epoch", "seconds"] {
            #expect((document[key] as? Double ?? 0) > 0, "\(key)")
        }
        #expect(document["later_stages"] as? Int == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: box.path).sorted() == before)
    }

    /// The last line of `train --json`.
    private func summary(_ output: String) -> String { output.split(separator: "\n").last.map(String.init) ?? "" }

    @Test func foldsAreTrainedSummedUpAndResumed() throws {
        let box = try sandbox()
        let words = ["--set", "training.epochs=2", "--set", "stages=[]", "--quiet"]
        let trained = try CommandLineTool.run(["train", "--config", "config.json", "--folds", "3", "--json"] + words, in: box.path)
        #expect(trained.status == 0, "\(trained.errors)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(summary(trained.output).utf8)) as? [String: Any])
        let results = try #require(document["results"] as? [[String: Any]])
        #expect(results.count == 3 && results.allSatisfy { $0["clips"] as? Int == 12 })
        let accuracies = results.compactMap { $0["categorical_accuracy"] as? Double }
        let mean = (document["categorical_accuracy"] as? [String: Any])?["mean"] as? Double
        let expected = accuracies.reduce(0, +) / 3
        #expect(abs((mean ?? .nan) - expected) <= 1e-12)
        let csv = String(decoding: try box.bytes("runs/train/folds.csv"), as: UTF8.self)
        #expect(csv.split(separator: "\n").count == 6)
        // A lost fold is trained again, to the same bytes.
        let fold = try box.bytes("runs/train/fold2/weights/last.safetensors")
        try FileManager.default.removeItem(atPath: box.path + "/runs/train/fold2")
        let resumed = try box.run("train", "--resume", "runs/train", "--json", "--quiet")
        #expect(resumed.status == 0 && summary(resumed.output) == summary(trained.output), "\(resumed.errors)")
        #expect(try box.bytes("runs/train/fold2/weights/last.safetensors") == fold)
    }

    @Test func foldsAreOneRunForFlagsAndChanges() throws {
        let box = try sandbox()
        let words = ["--set", "training.epochs=1", "--set", "stages=[]", "--quiet"]
        let trained = try CommandLineTool.run(["train", "--config", "config.json", "--folds", "2"] + words, in: box.path)
        try #require(trained.status == 0, "\(trained.errors)")
        let dry = try box.run("train", "--resume", "runs/train", "--dry-run")
        #expect(dry.status == 64, "\(dry.errors)")
        let changed = try box.run("train", "--resume", "runs/train", "--set", "seed=9")
        #expect(changed.status == 65 && changed.errors.contains("seed"), "\(changed.errors)")
        try box.succeed("train", "--resume", "runs/train", "--quiet", "--set", "training.epochs=2")
        #expect(String(decoding: try box.bytes("runs/train/config.json"), as: UTF8.self).contains("\"epochs\": 2"))
        // A new training in the folder removes the folds.
        let plain = try CommandLineTool.run(
            ["train", "--config", "config.json", "--set", "output.exist_ok=true"] + words, in: box.path)
        #expect(plain.status == 0, "\(plain.errors)")
        #expect(!box.exists("runs/train/folds.json") && !box.exists("runs/train/fold1"))
    }

    @Test func whatCannotWorkIsRefusedBeforeAnythingIsLost() throws {
        let box = try sandbox()
        let words = ["--set", "training.epochs=1", "--set", "stages=[]", "--quiet", "--set", "output.exist_ok=true"]
        try #require(try CommandLineTool.run(["train", "--config", "config.json"] + words, in: box.path).status == 0)
        let weights = try CommandLineTool.run(
            ["train", "--config", "config.json", "--set", "training.class_weights={\"upp\":2}"] + words, in: box.path)
        #expect(weights.status == 65 && weights.errors.contains("upp"), "\(weights.errors)")
        #expect(box.exists("runs/train/weights/best.safetensors"))
        // The second stage trains more layers and needs more memory; the first one alone would fit.
        let memory = try box.run(
            "train", "--config", "config.json", "--quiet", "--set", "model.input.frames=9", "--set", "training.batch_size=4000", "--set",
            "training.memory_gib=0.11")
        #expect(memory.status == 65 && memory.errors.contains("stage 2"), "\(memory.errors)")
        for (key, word) in [
            ("training.learning_rate_schedule.warmup_epochs=1e300", "warmup_epochs"),
            ("training.class_weights={\"up\":1e300}", "class_weights"), ("training.class_weights={\"up\":-0.5}", "class_weights.up"),
            ("training.class_weights={\"left\":0,\"right\":0,\"up\":0}", "every class of the training clips has the weight 0"),
        ] {
            let refused = try box.run("train", "--config", "config.json", "--quiet", "--set", key)
            #expect(refused.status == 65 && refused.errors.contains(word), "\(refused.errors)")
        }
        let window = try box.run("predict", "data/up/000.bin", "--window", "1e300")
        #expect(window.status == 0 || window.status == 65, "\(window.errors)")
    }

    @Test func frozenWeightsAreRecordedAsUnchanged() throws {
        let box = try sandbox()
        try box.succeed("train", "--config", "config.json", "--quiet", "--set", "training.epochs=10")
        let record = try #require(
            try JSONSerialization.jsonObject(with: Data(try box.bytes("runs/train/run.json"))) as? [String: Any])
        #expect(record["state"] as? String == "finished")
        let frozen = try #require(record["frozen_weights"] as? [[String: Any]])
        #expect(frozen.count == 2 && frozen.allSatisfy { $0["unchanged"] as? Bool == true })
        #expect(frozen[0]["sha256_before"] as? String != frozen[1]["sha256_before"] as? String)
    }
}
