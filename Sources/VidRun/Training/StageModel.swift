import VidCheckpoint
import VidCluster
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor
import VidTrain

/// The classifier as one stage trains it, with that stage's optimiser.
struct StageModel {
    let classifier: Classifier
    let optimizer: Optimizer

    /// All weights and moments are zero.
    ///
    /// - Parameters:
    ///   - isFirst: whether it is the process's first, so that memory must be found for its gradients and moments; a later one
    ///     replaces the one before it.
    ///   - saved: a checkpoint to be loaded. Memory is taken only after it turns out to hold all of the model.
    init(_ configuration: RunConfiguration, stage: Int, classes: [String], isFirst: Bool = false, saved: Checkpoint? = nil) throws {
        classifier = try Classifier(
            configuration.model(ofStage: stage), classes: classes, trainedCopies: isFirst ? 1 + configuration.optimizer.slotCount : 0
        ) { try saved?.requireTensors(of: $0) }
        optimizer = try Optimizer(configuration.optimizer, classifier.parameters)
    }

    /// The model that `trainer` trains.
    init(_ trainer: Trainer) { (classifier, optimizer) = (trainer.classifier, trainer.optimizer) }

    /// Draws random weights, and takes those of `start` or, without it, loads those of the CNN from the file that `model.cnn.weights`
    /// names. Learns the standardization of vectors from `training`, unless it is taken from `start`.
    func initialize(
        _ configuration: RunConfiguration, from start: WarmStart?, training: [DataSet.Entry], in runtime: Runtime
    ) async throws {
        try classifier.initialize(seed: configuration.seed)
        for word in configuration.optimizer.excludeFromWeightDecay
        where !classifier.parameters.slices.contains(where: { $0.name.contains(word) }) {
            let example = classifier.parameters.slices.last.map { " such as \($0.name)" } ?? ""
            try runtime.note("optimizer.exclude_from_weight_decay: \"\(word.brief)\" is in the name of no parameter\(example)")
        }
        let transfer = try start?.load(into: classifier, configuration)
        if let transfer { try runtime.observe(.warmStart(transfer)) }
        if transfer?.taken.contains(PathText.parent(Normalization.meanName)) != true { try standardize(configuration, by: training) }
        if start != nil { return }
        guard let cnn = configuration.model.cnn, let name = cnn.weights else { return }
        let path = try runtime.weights.find(name, cnn.architecture)
        let weights = try await runtime.weights.read(path, cnn.architecture)
        try runtime.observe(.info("CNN weights: \(path.printable)"))
        let preprocessing = configuration.data.preprocessing
        for note in try weights.load(into: classifier.parameters, preprocessing: preprocessing) { try runtime.note(note) }
        if let warning = weights.warning(configured: preprocessing) { try runtime.warn(warning) }
    }

    /// Learns mean and standard deviation of each feature over all frames of these clips, in their order; nothing without a
    /// standardization.
    private func standardize(_ configuration: RunConfiguration, by training: [DataSet.Entry]) throws {
        let parameters = classifier.parameters
        guard let mean = parameters.slice(named: Normalization.meanName),
            let deviation = parameters.slice(named: Normalization.deviationName)
        else { return }
        let loader = ClipLoader(configuration)
        var statistics = FeatureStatistics(features: mean.count)
        for entry in training {
            guard case .floats(let values) = try loader.wholeArray(entry.path).pixels else { continue }
            statistics.add(values)
        }
        parameters.value(mean).base.update(from: statistics.mean, count: mean.count)
        parameters.value(deviation).base.update(from: statistics.standardDeviation, count: mean.count)
        parameters.didChange()
    }

    /// Loads the weights and moments of a training's saved state.
    func load(_ checkpoint: Checkpoint) throws {
        try checkpoint.load(into: classifier.parameters)
        for tensor in optimizer.tensors(classifier.parameters) { try checkpoint.copy(tensor.name, into: tensor.tensor) }
    }

    /// Copies the weights of the same model with other trained layers.
    func copyWeights(from other: Classifier) {
        for slice in classifier.parameters.slices {
            guard let source = other.parameters.slice(named: slice.name) else {
                preconditionFailure("the previous stage has no \(slice.name)")
            }
            classifier.parameters.value(slice).copy(from: other.parameters.value(source))
        }
        classifier.parameters.didChange()
    }

    /// The trainer of this model on the clips of `data`.
    ///
    /// - Parameters:
    ///   - keepsFeatures: whether the outputs of frozen layers are kept in memory; nil: as `plan` says.
    ///   - decoded: clips that were decoded before.
    ///   - cluster: the ranks that train together.
    ///   - secondsBefore: the training's time before it was resumed.
    func trainer(
        _ configuration: RunConfiguration, _ data: DataSet, _ plan: MemoryPlan, keepsFeatures: Bool? = nil, decoded: ClipStore? = nil,
        cluster: any Cluster, state: TrainerState, secondsBefore: Double = 0, in runtime: Runtime
    ) throws -> Trainer {
        let loader = ClipLoader(configuration).taking(from: decoded)
        func clips(_ split: Split) -> LabelledClips {
            let entries = data.entries(of: split)
            return LabelledClips(entries, loader: loader, keepingBytes: plan.keptClipBytes / max(1, data.entries.count) * entries.count)
        }
        return try Trainer(
            classifier, optimizer: optimizer, configuration: configuration, training: clips(.train), validation: clips(.validation),
            memory: plan.step, features: FeatureStorage(cache: runtime.cache, keepsInMemory: keepsFeatures ?? plan.keepsFeatures),
            workers: runtime.workers, cluster: cluster, state: state, secondsBefore: secondsBefore)
    }

    /// - Throws: `.badData` if the training does not fit into memory.
    func memoryPlan(_ configuration: RunConfiguration, _ data: DataSet, _ workers: Workers) throws -> MemoryPlan {
        try MemoryPlan(
            classifier, slots: optimizer.slots.count, configuration, training: data.entries(of: .train).count,
            validation: data.entries(of: .validation).count, threads: workers.count)
    }
}
