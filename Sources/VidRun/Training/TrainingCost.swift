import VidConfig
import VidModel
import VidReport
import VidSystem
import VidTrain

/// What a training will take, measured where possible: the result of a dry run.
package struct TrainingCost: Sendable {
    package let parameters: (total: Int, trainable: Int)
    package let memoryBytes: Int
    /// For the run's folder: the last two states with their moments, and the best model.
    package let diskBytes: Int
    /// For new features in the cache.
    package let cacheBytes: Int
    /// Free bytes in the working folder; nil if unknown.
    package let freeBytes: Int?
    package let estimate: TrainingEstimate
    /// Later stages, whose time is not measured.
    package let laterStages: Int
}

extension TrainingRun {
    /// Measures what the training would take. Its weights change by a few steps: don't train or save them afterwards.
    ///
    /// - Throws: what loading a clip throws, and `.nonFinite` from a step.
    package func measureCost() async throws -> TrainingCost {
        let estimate = try await trainer.estimate()
        let classifier = trainer.classifier
        let (total, trainable) = classifier.parameters.counts
        let models = 3 + (configuration.training.saveEveryEpochs.map { configuration.training.epochs / $0 } ?? 0)
        return TrainingCost(
            parameters: (total, trainable), memoryBytes: largestMemoryPlan.estimate.total,
            diskBytes: (models * total + 2 * trainer.optimizer.slots.count * trainable) * MemoryLayout<Float>.stride,
            cacheBytes: Int(
                FeatureStore.bytes(clips: estimate.encodings, steps: classifier.frames, shape: classifier.trainedInputShape)),
            freeBytes: FileSystemRoom(at: ".")?.free, estimate: estimate,
            laterStages: configuration.stagePlans.count - 1 - trainer.state.stage)
    }
}
