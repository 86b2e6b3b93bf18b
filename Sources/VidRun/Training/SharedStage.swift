import FoundationEssentials
import VidCheckpoint
import VidCluster
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

// A stage of a training that several ranks work on.

extension StageOrder {
    init(_ configuration: RunConfiguration, _ data: DataSet, _ state: TrainerState, keepsFeatures: Bool) throws {
        config = configuration.text
        classes = data.classes
        splits = SplitsFile.text(data)
        digest = data.digest
        self.state = try state.text
        self.keepsFeatures = keepsFeatures
    }

    /// The training's clips, found on this machine.
    ///
    /// - Throws: `.missingInput` where one is missing.
    private func data(_ configuration: RunConfiguration) throws -> DataSet {
        let file = try MemoryFile(name: "splits.csv")
        try Array(splits.utf8).withUnsafeBytes { try file.append($0) }
        let set = try SplitsFile.read(file.path, data: configuration.data.path, media: configuration.data.media, classes: classes)
        guard set.digest == digest else {
            throw VidclassError.file(
                configuration.data.path, "the clips or labels are not those of rank 0. Copy its data folder to all machines, or share it")
        }
        return set
    }

    /// Takes part in a stage of a training. Rank 0 decides what comes after it.
    func work(_ runtime: Runtime) async throws {
        let cluster = runtime.cluster
        let configuration = try RunConfiguration(json: config, source: "rank 0's configuration")
        let data = try data(configuration)
        let state = try JSONDecoder().decode(TrainerState.self, from: Data(self.state.utf8))
        let model = try StageModel(configuration, stage: state.stage, classes: data.classes, isFirst: true)
        try await FilePrint.compare(data, in: cluster)
        try await model.share(in: cluster)
        let plan = try model.memoryPlan(configuration, data, runtime.workers)
        let trainer = try model.trainer(
            configuration, data, plan, keepsFeatures: keepsFeatures, cluster: cluster, state: state, in: runtime)
        _ = try await trainer.run(shouldStop: { false }, handle: { _ in })
    }
}

extension StageModel {
    /// Gives rank 0's weights and moments to all ranks.
    func share(in cluster: any Cluster) async throws {
        try await classifier.share(in: cluster)
        for slot in optimizer.slots { try await cluster.broadcast(Memory(slot.values.base, floats: slot.values.count)) }
    }
}

extension Classifier {
    /// Gives rank 0's weights to all ranks.
    func share(in cluster: any Cluster) async throws {
        try await cluster.broadcast(Memory(parameters.values.base, floats: parameters.values.count))
        parameters.didChange()
    }
}
