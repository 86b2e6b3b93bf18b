import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidRun
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// Trainings on clips of vectors: what is learnt before them, kept, resumed and used.
@Suite struct VectorTrainingTests {
    private let box: TestFolder
    /// The vectors of each training clip.
    private let length = 6

    /// Two classes of eight clips each, whose three features rise or fall, on scales of their own; one never changes.
    init() throws {
        box = try TestFolder()
        var random = RandomGenerator(seed: 4)
        for part in ["train", "val"] {
            for (label, slope) in [("falls", Float(-1)), ("rises", 1)] {
                try box.makeFolder("data/\(part)/\(label)")
                for number in 0..<(part == "train" ? 6 : 2) {
                    let values = (0..<length).flatMap { step in
                        [1000 + 100 * (slope * Float(step) + random.uniform(-0.5, 0.5)), 0.01 * random.uniform(-1, 1), 7]
                    }
                    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(length), 3), }"
                    try box.write(
                        "data/\(part)/\(label)/\(number).npy", FileBytes.npy(dictionary, values.withUnsafeBytes { Array($0) }))
                }
            }
        }
    }

    private func configuration(_ overrides: String...) throws -> RunConfiguration {
        try RunConfiguration(
            json: """
                { "seed": 3,
                  "model": { "input": { "frames": 4, "features": 3 }, "cnn": null, "recurrent": [ { "type": "lstm", "units": 6 } ],
                             "hidden": [] },
                  "optimizer": { "learning_rate": 0.05 },
                  "data": { "path": \(JSONNode.string(box("data")).text()), "validation_split": 0 },
                  "output": { "directory": \(JSONNode.string(box("runs")).text()), "tensorboard": false },
                  "training": { "epochs": 12, "batch_size": 4 } }
                """, source: "a test", overrides: overrides)
    }

    private func runtime(threads: Int = 1) -> Runtime {
        Runtime(
            version: "1", command: ["test"], weights: WeightsLibrary(environment: [:], hdf5: .inReader()), workers: Workers(count: threads),
            cache: nil
        ) { _ in }
    }

    @discardableResult
    private func train(_ configuration: RunConfiguration, threads: Int = 1) async throws -> [UInt8] {
        let runtime = runtime(threads: threads)
        let run = try await TrainingRun(try await TrainingPlan(configuration, in: runtime), in: runtime)
        guard case .finished = try await run.run(until: StopCondition(configuration) { false }) else {
            Issue.record("the training was stopped")
            return []
        }
        return try box.bytes("runs/train/weights/last.safetensors")
    }

    @Test func learnsAndKeepsTheStandardization() async throws {
        try await train(try configuration())
        let saved = try SavedModel(path: box("runs/train/weights/best.safetensors"))
        let parameters = saved.classifier.parameters
        func values(_ name: String) throws -> [Float] { parameters.value(try #require(parameters.slice(named: name))).array }
        // All frames of the training clips count, not only the sampled ones, and none of the validation clips.
        var statistics = FeatureStatistics(features: 3)
        for label in ["falls", "rises"] {
            for number in 0..<6 {
                guard case .floats(let values) = try NumpyFile.read(box("data/train/\(label)/\(number).npy")).pixels else { continue }
                statistics.add(values)
            }
        }
        #expect(try values(Normalization.meanName) == statistics.mean)
        #expect(try values(Normalization.deviationName) == statistics.standardDeviation)
        #expect(try values(Normalization.deviationName)[2] == 1 && values(Normalization.meanName)[2] == 7)
        // The classes differ only where standardized.
        let evaluated = try EvaluatedClips(saved, data: nil, split: .val, ignoresUnknownLabels: false)
        let evaluation = try await ModelEvaluation(saved, on: evaluated, in: runtime()).evaluation
        #expect(evaluation.clips.count == 4 && evaluation.clips.allSatisfy { $0.decision == $0.label })
        // The report names features in place of pictures.
        let page = String(decoding: try box.bytes("runs/train/report.html"), as: UTF8.self)
        #expect(page.contains("feature 0 (") && page.contains("4 frames of 3 features") && !page.contains("cannot be shown"))
    }

    @Test func sameBytesAtAnyThreadCountAndResumed() async throws {
        let one = try await train(try configuration())
        try box.remove("runs")
        #expect(try await train(try configuration(), threads: 2) == one)
        try box.remove("runs")
        try await train(try configuration("training.epochs=5"))
        let runtime = runtime()
        let plan = try await TrainingPlan(
            resuming: try RunFolder.existing(box("runs/train")), overrides: ["training.epochs=12"], in: runtime)
        let run = try await TrainingRun(plan, in: runtime)
        _ = try await run.run(until: StopCondition(run.configuration) { false })
        #expect(try box.bytes("runs/train/weights/last.safetensors") == one)
    }

    /// A training that starts from an older model takes its standardization.
    @Test func startsFromAnOlderModel() async throws {
        try await train(try configuration())
        try FileManager.default.moveItem(atPath: box("runs/train"), toPath: box("runs/old"))
        let older = try SavedModel(path: box("runs/old/weights/best.safetensors")).classifier.parameters
        try box.remove("data/train/rises/0.npy")
        let runtime = runtime()
        let start = try WarmStart(box("runs/old"))
        let run = try await TrainingRun(try await TrainingPlan(try configuration(), from: start, in: runtime), in: runtime)
        _ = try await run.run(until: StopCondition(run.configuration) { false })
        let own = try SavedModel(path: box("runs/train/weights/best.safetensors")).classifier.parameters
        for name in [Normalization.meanName, Normalization.deviationName] {
            let slices = (try #require(own.slice(named: name)), try #require(older.slice(named: name)))
            #expect(own.value(slices.0).array == older.value(slices.1).array)
        }
        let error = await #expect(throws: VidclassError.self) {
            _ = try await TrainingPlan(
                try RunConfiguration(json: #"{"data": {"path": "none"}}"#, source: "a test"), from: start, in: runtime)
        }
        #expect(error?.message.contains("4 frames of 3 features without a CNN") == true, "\(error?.message ?? "")")
    }

    @Test func explainsFeatures() async throws {
        try await train(try configuration())
        let saved = try SavedModel(path: box("runs/train/weights/best.safetensors"))
        let predictor = try InputExplanation.predictor(saved, Workers(count: 1))
        let found = try await InputExplanation(box("data/val/rises/0.npy"), saved, predictor, target: nil, against: nil)
        #expect(found.isOfVectors && found.topFeatures(1).first?.name == "feature 0" && found.topFeatures(10).count == 3)
        // The feature that never changes is at its mean, and adds nothing.
        #expect(found.topFeatures(10).last.map { $0.name == "feature 2" && $0.contribution == 0 } == true)
    }

    /// A configuration is chosen for a folder of vectors.
    @Test func chosenTraining() async throws {
        let chosen = try await ChosenTraining(for: box("data"), overrides: [], startsFromScratch: false, in: runtime())
        let model = chosen.configuration.model
        #expect(model.input == InputConfiguration(frames: 6, features: 3) && model.cnn == nil)
        #expect(chosen.configuration.data.preprocessing == .none)
    }

    /// Flattened frames go through a training, too.
    @Test func framesWithoutACNN() async throws {
        try await SyntheticClips(classes: 2, frames: 2, rows: 8, columns: 8, seed: 1)
            .write(to: box("pixels"), clipsPerClass: 4) { _, _ in }
        let configuration = try RunConfiguration(
            json: """
                { "model": { "input": { "frames": 2, "rows": 8, "columns": 8 }, "cnn": null, "recurrent": [],
                             "pooling_over_time": "flatten", "hidden": [] },
                  "data": { "path": \(JSONNode.string(box("pixels")).text()), "validation_split": 0.25, "preprocessing": "unit",
                            "leak_check": "off" },
                  "output": { "directory": \(JSONNode.string(box("runs")).text()), "tensorboard": false },
                  "training": { "epochs": 1, "batch_size": 4 } }
                """, source: "a test")
        try await train(configuration)
        let page = String(decoding: try box.bytes("runs/train/report.html"), as: UTF8.self)
        #expect(page.contains("data:image/png") && !page.contains("cannot be shown"))
    }
}
