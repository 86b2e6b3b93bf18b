import VidConfig
import VidModel
import VidReport
import VidSystem
import VidTrain

extension TrainingRun {
    /// Measures what the training of `plan` will take, on a model of its own that is forgotten afterwards.
    ///
    /// - Throws: as `measureCost`, and what building the model throws.
    package static func cost(_ plan: TrainingPlan, in runtime: Runtime) async throws -> TrainingCost {
        let silent = Runtime(
            version: runtime.version, command: runtime.command, weights: runtime.weights, workers: runtime.workers, cache: runtime.cache
        ) { _ in }
        return try await TrainingRun(plan.measured, in: silent, isDryRun: true).measureCost()
    }

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
