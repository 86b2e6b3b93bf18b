import Foundation
import Synchronization
import Testing
import VidCheckpoint
import VidCluster
import VidConfig
import VidData
import VidRun
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// Commands that rank 0 leads and others follow, on ranks in this process. (ClusterCommandTests runs them under mpirun.)
@Suite struct FollowerTests {
    private let box: TestFolder

    init() async throws {
        box = try TestFolder()
        try await SyntheticClips(classes: 2, frames: 3, rows: 16, columns: 16, seed: 1)
            .write(to: box("data"), clipsPerClass: 14) { _, _ in }
        // A clip that no rank can read.
        let label = try #require(try box.names("data").first)
        try box.write("data/\(label)/broken.bin", [1, 2, 3])
    }

    private func configuration(_ run: String, _ overrides: [String]) throws -> RunConfiguration {
        let json = """
            { "seed": 3,
              "model": { "input": { "frames": 3, "rows": 16, "columns": 16 },
                         "cnn": { "architecture": { "blocks": [[4], [4]] }, "weights": null, "trainable": true },
                         "recurrent": [ { "type": "lstm", "units": 4 } ], "hidden": [ { "type": "dropout", "rate": 0.2 } ] },
              "data": { "path": \(JSONNode.string(box("data")).text()), "validation_split": 0.2, "test_split": 0.2,
                        "preprocessing": "unit", "leak_check": "off", "skip_bad_clips": true },
              "output": { "directory": \(JSONNode.string(box(run)).text()), "tensorboard": false },
              "training": { "epochs": 3, "batch_size": 4, "shards": 3 } }
            """
        return try RunConfiguration(json: json, source: "a test", overrides: overrides)
    }

    /// Runs `lead` on rank 0 of a cluster whose other ranks follow.
    private func lead(_ size: Int, _ lead: @escaping @Sendable (Runtime) async throws -> Void) async throws {
        _ = try await LocalCluster.run(size) { cluster in
            let runtime = Runtime(
                version: "1", command: ["test"], weights: WeightsLibrary(environment: [:], hdf5: .inReader()),
                workers: Workers(count: 1), cluster: cluster, cache: nil
            ) { _ in }
            try await ClusterSession(cluster).run {
                try await ClusterFollower(runtime).run()
            } lead: {
                try await lead(runtime)
            }
        }
    }

    /// The files of a training that do not depend on its folder or its time.
    private func train(_ size: Int, _ run: String, _ overrides: [String]) async throws -> [String: [UInt8]] {
        let configuration = try configuration(run, overrides)
        try await lead(size) { runtime in
            let training = try await TrainingRun(try await TrainingPlan(configuration, in: runtime), in: runtime)
            let outcome = try await training.run(until: StopCondition(configuration) { false })
            guard case .finished = outcome else { throw VidclassError(.other, "the training was stopped") }
        }
        var files: [String: [UInt8]] = [:]
        for name in ["predictions.csv", "splits.csv", "skipped.csv"] { files[name] = try box.bytes("\(run)/train/\(name)") }
        for name in ["last", "best"] {
            // The tensors: the header has the configuration with the folder's name.
            let bytes = try box.bytes("\(run)/train/weights/\(name).safetensors")
            let header = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            files[name] = Array(bytes.dropFirst(8 + header))
        }
        return files
    }

    @Test(arguments: [
        [], ["model.cnn.trainable=false"], ["model.cnn.trainable=\"block2_conv1\"", "data.sampling.type=\"random\""],
        [#"stages=[{"epochs":1,"trainable":false},{"trainable":"block2_conv1"}]"#],
    ]) func anyRanksLeaveTheSameFiles(overrides: [String]) async throws {
        let alone = try await train(1, "alone", overrides)
        #expect(alone["skipped.csv"]?.isEmpty == false)
        for size in [2, 3] {
            let shared = try await train(size, "ranks\(size)", overrides)
            for (name, bytes) in alone { #expect(shared[name] == bytes, "\(name) of \(size) ranks") }
        }
    }

    @Test func foldsAndPredictionsAreShared() async throws {
        let configuration = try configuration("runs", [])
        _ = try await train(2, "runs", [])
        let folded = try self.configuration("folds", ["training.epochs=1"])
        try await lead(3) { runtime in
            let folds = try await FoldTraining(folded, count: 2, in: runtime)
            guard case .finished(let summary) = try await folds.run(until: StopCondition(folded) { false }) else {
                throw VidclassError(.other, "the folds were stopped")
            }
            #expect(summary.results.count == 2)
        }
        let entries = try DataSet.open(box("data"), split: configuration.data.splitOptions(seed: 3)).entries
        let paths = entries.map(\.path)
        let model = box("runs/train/weights/best.safetensors")
        func predict(_ size: Int, _ windows: WindowChoice?) async throws -> [String] {
            let results = Mutex<[String]>([])
            try await lead(size) { runtime in
                let saved = try SavedModel(path: model)
                var predictor = try FilePredictor(
                    saved, paths: paths, windows: windows, top: 2, in: runtime.cluster, runtime.workers)
                try await predictor.run(names: paths) { _, _ in
                } each: { number, outcome, _ in
                    let text =
                        switch outcome {
                        case .prediction(let prediction): "\(prediction.ranked) \(String(describing: prediction.familiarity))"
                        case .timeline(let timeline): timeline.windows.map { "\($0.window) \($0.prediction.ranked)" }.joined()
                        case .failure(let error): error.message
                        }
                    results.withLock { $0.append("\(number) \(text)") }
                }
            }
            return results.withLock { $0 }
        }
        for windows in [nil, WindowChoice(length: 0.2, stride: 0.1)] {
            let alone = try await predict(1, windows)
            #expect(alone.count == paths.count)
            #expect(alone.contains { $0.contains("broken.bin") })
            #expect(try await predict(3, windows) == alone)
        }
    }
}
