import Foundation
import Testing
import VidTestSupport

/// The commands in the order in which README tells a user to run them.
@Suite struct EndToEndTests {
    private static let config = """
        { "seed": 3,
          "model": { "input": { "frames": 4, "rows": 16, "columns": 16 },
                     "cnn": { "architecture": { "blocks": [[4], [8]] }, "weights": null, "trainable": true },
                     "recurrent": [ { "type": "lstm", "units": 8, "dropout": 0.2 } ],
                     "hidden": [ { "type": "dense", "units": 8 }, { "type": "dropout", "rate": 0.3 } ] },
          "data": { "path": "data", "validation_split": 0.25, "preprocessing": "symmetric" },
          "training": { "epochs": 3, "batch_size": 5 } }
        """

    private func sandbox() throws -> TestFolder { try TestFolder(config: Self.config, classes: 3, clips: 8) }

    @discardableResult
    private func train(_ box: TestFolder, _ arguments: String...) throws -> CommandLineTool.Result {
        let result = try CommandLineTool.run(["train"] + arguments, in: box.path)
        try #require(result.status == 0, "\(result.errors)")
        return result
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func trainEvalPredict() throws {
        let box = try sandbox()
        let trained = try train(box, "--config", "config.json", "--json")
        let summary = try object(String(try #require(trained.output.split(separator: "\n").last)))
        #expect(summary["run"] as? String == "runs/train")
        #expect(summary["epochs"] as? Int == 3)
        for file in ["config.json", "results.csv", "weights/best.safetensors", "weights/last.safetensors"] {
            #expect(box.exists("runs/train/" + file))
        }
        let lines = String(decoding: try box.bytes("runs/train/results.csv"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 7 })

        let evaluated = try box.run("eval", "--json")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        #expect(evaluated.errors.contains("runs/train/weights/best.safetensors"))
        let evaluation = try object(evaluated.output)
        #expect(evaluation["clips"] as? Int == 6)
        let labels = try #require(evaluation["classes"] as? [[String: Any]]).compactMap { $0["label"] as? String }
        #expect(labels == labels.sorted())
        let best = try #require(summary["best_categorical_accuracy"] as? Double)
        #expect(evaluation["categorical_accuracy"] as? Double == best)
        let confusion = try #require(evaluation["confusion_matrix"] as? [[Int]])
        let counted = confusion.joined().reduce(0, +)
        #expect(counted == 6)

        let clip = "data/right/000.bin"
        #expect(box.exists(clip), "synth writes \(clip)")
        let predicted = try box.run("predict", clip, "--format", "json", "--top", "2")
        #expect(predicted.status == 0, "\(predicted.errors)")
        let predictions = try #require(try JSONSerialization.jsonObject(with: Data(predicted.output.utf8)) as? [[String: Any]])
        #expect(predictions.first?["input"] as? String == clip)
        let ranked = try #require(predictions.first?["predictions"] as? [[String: Any]])
        #expect(ranked.count == 2)
        let scores = ranked.compactMap { $0["score"] as? Double }
        #expect(scores.count == 2 && scores[0] >= scores[1] && scores[0] <= 1)
    }

    @Test func theSameBytesOnOneAndOnTwoThreadsAndAnotherSeedDiffers() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--threads", "1", "--quiet")
        try train(box, "--config", "config.json", "--threads", "2", "--quiet")
        try train(box, "--config", "config.json", "--threads", "3", "--quiet", "--set", "seed=4")
        for file in ["weights/last.safetensors", "weights/best.safetensors"] {
            let first = try box.bytes("runs/train/" + file)
            #expect(try box.bytes("runs/train2/" + file) == first)
            #expect(try box.bytes("runs/train3/" + file) != first)
        }
    }

    @Test func anExtendedRunEqualsOneThatWasNeverStopped() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet")
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=1")
        try train(box, "--resume", "runs/train2", "--quiet", "--set", "training.epochs=3")
        for file in ["config.json", "weights/last.safetensors"] {
            #expect(try box.bytes("runs/train2/" + file) == box.bytes("runs/train/" + file), "\(file)")
        }
        func withoutTime(_ run: String) throws -> [[Substring]] {
            String(decoding: try box.bytes("runs/\(run)/results.csv"), as: UTF8.self).split(separator: "\n").map { line in
                var fields = line.split(separator: ",", omittingEmptySubsequences: false)
                fields.remove(at: 1)
                return fields
            }
        }
        #expect(try withoutTime("train2") == withoutTime("train"))
    }

    @Test func aFrozenCNNIsEncodedOnceAndResumes() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet", "--set", "model.cnn.trainable=false")
        try train(box, "--config", "config.json", "--quiet", "--set", "model.cnn.trainable=false", "--set", "training.epochs=2")
        try train(box, "--resume", "runs/train2", "--quiet", "--set", "training.epochs=3")
        #expect(try box.bytes("runs/train2/weights/last.safetensors") == box.bytes("runs/train/weights/last.safetensors"))
    }

    @Test func interruptedTrainingKeepsItsStateAndResumesToTheSameBytes() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=40")
        let process = try CommandLineTool.start(
            ["train", "--config", "config.json", "--set", "training.epochs=40", "--quiet"], in: box.path)
        let deadline = Date().addingTimeInterval(60)
        while !box.exists("runs/train2/weights/best.safetensors"), Date() < deadline { usleep(2000) }
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationStatus == 130 || process.terminationStatus == 0)
        try train(box, "--resume", "runs/train2", "--quiet")
        for file in ["weights/last.safetensors", "weights/best.safetensors"] {
            #expect(try box.bytes("runs/train2/" + file) == box.bytes("runs/train/" + file), "\(file)")
        }
    }

    @Test func packedVideosPredictAsTheVideosThemselves() throws {
        let box = try sandbox()
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc=duration=2:size=64x48:rate=15", "-pix_fmt", "yuv420p", box("it's a \"test\", 🎬.mp4")])
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=1")
        try box.succeed("pack", "it's a \"test\", 🎬.mp4", "clip.bin", "--frames", "4", "--rows", "16", "--columns", "16")
        let video = try box.run("predict", "it's a \"test\", 🎬.mp4", "--format", "csv", "--long")
        let clip = try box.run("predict", "clip.bin", "--format", "csv", "--long")
        #expect(video.status == 0 && clip.status == 0, "\(video.errors) \(clip.errors)")
        let scores = { (text: String) in text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").suffix(3) } }
        #expect(scores(video.output) == scores(clip.output))
        #expect(scores(video.output).count == 3)
    }

    @Test func inspectKnowsEveryKindOfFile() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=1")
        for file in ["data/right/000.bin", "config.json", "runs/train/weights/best.safetensors"] {
            let result = try box.run("inspect", file, "--json")
            #expect(result.status == 0, "\(result.errors)")
            #expect(try object(result.output)["kind"] is String)
            let text = try box.run("inspect", file)
            #expect(text.status == 0 && !text.output.isEmpty, "\(text.errors)")
        }
    }

    @Test func aRunFolderInUseIsRefused() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=1")
        let descriptor = open(box.path + "/runs/train/.lock", O_RDWR)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        let result = try box.run("train", "--resume", "runs/train")
        #expect(result.status == 75)
        #expect(result.errors.contains("runs/train"))
    }

    @Test func aResumedRunRefusesOtherDataAndOtherSettings() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=1")
        for override in ["training.batch_size=4", "optimizer.type=sgd", "data.validation_split=0.5", "seed=9", "model.recurrent.0.units=9"]
        {
            let result = try box.run("train", "--resume", "runs/train", "--set", "training.epochs=3", "--set", override)
            #expect(result.status == 65, "\(override): \(result.errors)")
            let key = override.prefix { $0 != "=" && !$0.isNumber }
            #expect(result.errors.contains(key.hasSuffix(".") ? key.dropLast() : key), "\(result.errors)")
        }
        try FileManager.default.copyItem(atPath: box.path + "/data/right/000.bin", toPath: box.path + "/data/right/new.bin")
        let grown = try box.run("train", "--resume", "runs/train", "--set", "training.epochs=3")
        // The run uses the clips of its splits.csv, and tells the user.
        #expect(grown.status == 0 && grown.errors.contains("1 new clip") && grown.errors.contains("new.bin"), "\(grown.errors)")
        try FileManager.default.moveItem(atPath: box.path + "/data/right/000.bin", toPath: box.path + "/000.bin")
        let shrunk = try box.run("train", "--resume", "runs/train", "--set", "training.epochs=4")
        #expect(shrunk.status == 66 && shrunk.errors.contains("right/000.bin"), "\(shrunk.errors)")
        try FileManager.default.moveItem(atPath: box.path + "/000.bin", toPath: box.path + "/data/right/000.bin")
        try train(box, "--resume", "runs/train", "--set", "training.epochs=5", "--set", "optimizer.learning_rate=0.001", "--quiet")
        let nowhere = try box.run("train", "--resume", "data")
        #expect(nowhere.status == 66, "\(nowhere.errors)")
    }

    @Test func aDivergedTrainingEndsWith70AndLeavesNoModel() throws {
        let box = try sandbox()
        let result = try box.run(
            "train", "--config", "config.json", "--set", "optimizer.learning_rate=1e38", "--set", "training.batch_size=100")
        #expect(result.status == 70, "\(result.errors)")
        #expect(!box.exists("runs/train"))
    }

    @Test func theSameDataUnderAnotherSpellingIsStillHeldOut() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=1")
        for path in ["data", "./data/", box.path + "/data"] {
            let result = try box.run("eval", "--data", path, "--json")
            #expect(try object(result.output)["clips"] as? Int == 6, "\(path)")
        }
    }

    @Test func resultsThatCannotBeWrittenAreAnError() throws {
        let box = try sandbox()
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", "\"$0\" inspect data/right/000.bin > /dev/full", CommandLineTool.path]
        shell.currentDirectoryURL = URL(fileURLWithPath: box.path)
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 74)
    }

    @Test func aGoodInputBesideAMissingOneIsPredicted() throws {
        let box = try sandbox()
        try train(box, "--config", "config.json", "--quiet", "--set", "training.epochs=1")
        let result = try box.run("predict", "data/right/000.bin", "missing.bin", "--format", "csv")
        #expect(result.status == 65)
        #expect(result.output.contains("\ndata/right/000.bin,"))
        #expect(result.errors.contains("missing.bin"))
    }

    @Test(arguments: [
        [
            "--set",
            "model.hidden=[{\"type\":\"dense\",\"units\":65536},{\"type\":\"dense\",\"units\":65536},{\"type\":\"dense\",\"units\":65536}]",
        ],
        [
            "--set", "training.batch_size=65536", "--set", "model.input.frames=65536",
        ],
    ])
    func aModelThatCannotFitIsRefused(_ overrides: [String]) throws {
        let box = try sandbox()
        let result = try CommandLineTool.run(["train", "--config", "config.json"] + overrides, in: box.path)
        #expect(result.status == 65, "\(result.errors.suffix(400))")
        #expect(result.errors.contains("memory"), "\(result.errors.suffix(400))")
        #expect(!box.exists("runs/train"))
    }

    @Test(arguments: [
        (
            ["encode", "--frames", "2", "--size", "32", "--layers"],
            ["ms_per_frame", "bound_ms_per_frame", "threads", "blas_kernel", "sgemm_gflops", "layers"]
        ),
        (["step", "--frames", "2", "--size", "32", "--batch", "2"], ["ms_per_frame", "peak_rss_bytes"]),
        (
            ["head", "--frames", "3", "--batch", "4"],
            ["clips_per_second", "ms_per_step", "bound_ms_per_step", "sgemm_gflops", "share_of_sgemm"]
        ),
        (["gemm"], ["sgemm_gflops", "sgemm_gflops_one_thread"]),
    ])
    func benchMeasures(_ arguments: [String], _ keys: [String]) throws {
        let box = try TestFolder()
        let result = try CommandLineTool.run(["bench"] + arguments + ["--json"], in: box.path)
        #expect(result.status == 0, "\(result.errors)")
        let document = try object(result.output)
        for key in keys { #expect(document[key] != nil, "\(key)") }
    }

    @Test func doctorSaysWhatRuns() throws {
        let result = try TestFolder().run("doctor", "--json")
        #expect(result.status == 0, "\(result.errors)")
        let document = try object(result.output)
        #expect((document["sgemm_gflops_one_thread"] as? Double ?? 0) > 0)
        #expect((document["blas_kernel"] as? String)?.isEmpty == false)
        #expect((document["libav"] as? String)?.hasPrefix("libavcodec ") == true)
        #expect(!result.output.contains("cannot be read"), "\(result.output)")
        let users = try TestFolder().run("doctor", "--json", environment: ["OPENBLAS_CORETYPE": "Nehalem"])
        #expect(try object(users.output)["blas_kernel_set_by_user"] as? Bool == true)
        // All processors with AVX2 can run the same kernels.
        guard ["avx2", "avx512"].contains(document["simd"] as? String) else { return }
        let common = try object(TestFolder().run("doctor", "--json", environment: ["VIDCLASS_KERNELS": "avx2"]).output)
        #expect(common["simd"] as? String == "avx2")
        #expect((common["blas_kernel"] as? String)?.lowercased() == "haswell")
    }

    /// Without the program ffmpeg only animations are missing.
    @Test func doctorKnowsWhatTheProgramFFmpegIsFor() throws {
        let box = try TestFolder()
        let without = try box.run("doctor", "--json", environment: ["PATH": box.path])
        let document = try object(without.output)
        #expect(without.status == 0 && document["ffmpeg"] is NSNull && document["libav"] is String, "\(without.output)\(without.errors)")
        let warnings = try #require(document["warnings"] as? [String])
        #expect(warnings.count { $0.contains("ffmpeg") && $0.contains("animations") } == 1, "\(warnings)")

        let program = try box.write("tools/ffmpeg", text: "#!/bin/sh\necho ffmpeg version 9.8-test\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let with = try box.run("doctor", environment: ["VIDCLASS_FFMPEG": program])
        #expect(with.output.contains("9.8-test (for animations only)"), "\(with.output)\(with.errors)")
    }

    /// A plug-in that is named and cannot be loaded is a warning.
    @Test func doctorTellsWhatIsWrongWithThePluginForMPI() throws {
        let result = try TestFolder().run("doctor", "--json", environment: ["VIDCLASS_MPI_PLUGIN": "/nowhere/mine.so"])
        let document = try object(result.output)
        #expect(result.status == 0 && document["mpi"] is NSNull, "\(result.output)\(result.errors)")
        let warnings = try #require(document["warnings"] as? [String])
        #expect(warnings.contains { $0.contains("/nowhere/mine.so") && $0.contains("install.sh --mpi") }, "\(warnings)")
    }
}
