import VidCheckpoint
import VidConfig
import VidData
import VidModel
import VidTensor
import VidTrain

/// The classifier as one stage trains it, with that stage's optimiser.
struct StageModel {
    let classifier: Classifier
    let optimizer: Optimizer

    /// All weights and moments are zero.
    ///
    /// - Parameters:
    ///   - isFirst: whether it is the first of the process, which must fit with its gradients and moments; a later one takes
    ///     the place of the one before it.
    ///   - saved: what is to be loaded; it must hold all of the model before there is memory for any of it.
    init(_ configuration: RunConfiguration, stage: Int, classes: [String], isFirst: Bool = false, saved: Checkpoint? = nil) throws {
        classifier = try Classifier(
            configuration.model(ofStage: stage), classes: classes, trainedCopies: isFirst ? 1 + configuration.optimizer.slotCount : 0
        ) { try saved?.requireTensors(of: $0) }
        optimizer = Optimizer(configuration.optimizer, classifier.parameters)
    }

    /// Weights at random, and the CNN's from the file the configuration names.
    func initialize(_ configuration: RunConfiguration) async throws {
        try classifier.initialize(seed: configuration.seed)
        try await PretrainedWeights.load(configuration, into: classifier)
    }

    /// Weights and moments of a training's saved state.
    func load(_ checkpoint: Checkpoint) throws {
        try checkpoint.load(into: classifier.parameters)
        for tensor in optimizer.tensors(classifier.parameters) { try checkpoint.copy(tensor.name, into: tensor.tensor) }
    }

    /// The weights of the same model with other trained layers.
    func copyWeights(from other: Classifier) {
        for slice in classifier.parameters.slices {
            guard let source = other.parameters.slice(named: slice.name) else {
                preconditionFailure("no \(slice.name) in the stage before")
            }
            classifier.parameters.value(slice).copy(from: other.parameters.value(source))
        }
        classifier.parameters.didChange()
    }

    func memoryPlan(_ configuration: RunConfiguration, _ data: DataSet, _ workers: Workers) throws -> MemoryPlan {
        try MemoryPlan(
            classifier, slots: optimizer.slots.count, configuration, training: data.entries(of: .train).count,
            validation: data.entries(of: .validation).count, threads: workers.count)
    }
}
