import Foundation
import Synchronization
import VidCluster
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// A folder of 16 synthetic clips in two classes, 12 to train on and 4 for validation, and small trainings on them.
final class TestClips: Sendable {
    private let folder: TestFolder
    var path: String { folder.path }

    init() async throws {
        folder = try TestFolder()
        try await SyntheticClips(classes: 2, frames: 4, rows: 16, columns: 16, seed: 1).write(to: folder.path, clipsPerClass: 8)
    }

    static func configuration(epochs: Int = 2) -> RunConfiguration {
        var configuration = RunConfiguration()
        configuration.seed = 7
        (configuration.model.input.frames, configuration.model.input.rows, configuration.model.input.columns) = (4, 16, 16)
        configuration.model.cnn?.architecture = .blocks([[4], [8]])
        configuration.model.cnn?.weights = nil
        configuration.model.cnn?.trainable = .all
        configuration.model.recurrent = [.lstm(RecurrentOptions(units: 6))]
        configuration.model.hidden = [.dense(DenseOptions(units: 6)), .dropout(rate: 0.3)]
        configuration.data.preprocessing = .symmetric
        configuration.training.epochs = epochs
        configuration.training.batchSize = 5
        return configuration
    }

    func set() throws -> DataSet { try DataSet.open(path, split: .init(seed: 1, validation: 0.25, test: 0)) }

    func split(_ split: Split, _ configuration: RunConfiguration, keepingBytes: Int = 0) throws -> LabelledClips {
        let loader = ClipLoader(configuration)
        return LabelledClips(try set().entries(of: split), loader: loader, keepingBytes: keepingBytes)
    }

    func classifier(_ configuration: RunConfiguration) throws -> Classifier {
        let classifier = try Classifier(configuration.model, classes: try set().classes)
        try classifier.initialize(seed: configuration.seed)
        return classifier
    }

    func trainer(
        _ configuration: RunConfiguration, threads: Int = 1, features: FeatureStorage = FeatureStorage(), activations: Int = .max,
        cluster: any Cluster = Alone(), state: TrainerState? = nil
    ) throws -> Trainer {
        let classifier = try classifier(configuration)
        let optimizer = try Optimizer(configuration.optimizer, classifier.parameters)
        let memory = try StepMemory(
            classifier, slots: optimizer.slots.count, batchSize: configuration.clipsPerPass, shards: configuration.training.shards,
            threads: threads,
            budget: MemoryBudget(gibibytes: nil), activationLimit: activations)
        return try Trainer(
            classifier, optimizer: optimizer, configuration: configuration,
            training: try split(.train, configuration, keepingBytes: 1 << 20), validation: try split(.validation, configuration),
            memory: memory, features: features, workers: Workers(count: threads), cluster: cluster,
            state: state ?? TrainerState(seed: configuration.seed))
    }
}

/// A cache in memory: features by key, and the content hashes of files by path and time.
final class MemoryFeatureCache: FeatureCache {
    private struct Entry: Sendable {
        let shape: Shape
        let values: [Float]
        let validFrames: Int
    }
    private struct Contents: Sendable {
        var entries: [FeatureKey: Entry] = [:]
        var hashes: [String: (FileStatus, String)] = [:]
    }
    private let contents = Mutex(Contents())

    var stored: Int { contents.withLock { $0.entries.count } }

    func load(_ key: FeatureKey, into features: Tensor) -> Int? {
        guard let entry = contents.withLock({ $0.entries[key] }), entry.shape == features.shape else { return nil }
        for (index, value) in entry.values.enumerated() { features.base[index] = value }
        return entry.validFrames
    }

    func store(_ key: FeatureKey, _ features: Tensor, validFrames: Int) {
        let entry = Entry(shape: features.shape, values: features.array, validFrames: validFrames)
        contents.withLock { $0.entries[key] = entry }
    }

    func save() {}

    func contentHash(of path: String, sampling: String) -> String? {
        guard let status = try? SystemCall.status(path) else { return nil }
        return contents.withLock { $0.hashes[path + sampling] }.flatMap { $0.0 == status ? $0.1 : nil }
    }

    func remember(_ contentHash: String, of path: String, sampling: String) {
        guard let status = try? SystemCall.status(path) else { return }
        contents.withLock { $0.hashes[path + sampling] = (status, contentHash) }
    }
}
