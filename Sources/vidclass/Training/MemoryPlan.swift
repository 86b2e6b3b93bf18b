import VidConfig
import VidData
import VidModel
import VidReport
import VidTensor
import VidTrain

/// What a training will hold in memory, and how it is shared out: between a step's activations, the outputs of frozen layers
/// and loaded clips.
struct MemoryPlan {
    let step: StepMemory
    let estimate: MemoryEstimate
    /// Whether the outputs of frozen layers are kept in memory for all clips.
    let keepsFeatures: Bool
    /// Bytes of loaded clips to keep between epochs: half of what is left after the rest.
    let keptClipBytes: Int
    /// SamplePlan of clips that frozen layers are run on once.
    let samples: Int

    /// - Parameters:
    ///   - training: clips of the training part.
    ///   - validation: clips of the validation part.
    /// - Throws: `.badData` where the training cannot fit.
    init(
        _ classifier: Classifier, slots: Int, _ configuration: RunConfiguration, training: Int, validation: Int, threads: Int
    ) throws {
        let budget = MemoryBudget(gibibytes: configuration.training.memoryGiB)
        let batchSize = configuration.training.batchSize
        let clipBytes = classifier.frames * classifier.frameShape.count
        let clips = training + validation
        func plan(_ activationLimit: Int) throws -> StepMemory {
            try StepMemory(
                classifier, slots: slots, batchSize: batchSize, isMixed: configuration.augmentation.mixup > 0, threads: threads,
                budget: budget, activationLimit: activationLimit)
        }
        let least = try plan(0)
        // The clips of a step, those being loaded for the next one, and those that a pass over all loads ahead. The frames of
        // one clip have been found to fit.
        let loading = clipBytes * max(2 * min(batchSize, clips), ClipSource.ahead + 1)
        var features = 0
        var left = budget.bytes - least.total - loading
        if classifier.frozen != nil {
            samples =
                training * (SamplePlan.training(configuration, behindFrozenLayers: true).perClip ?? 0)
                + validation * configuration.evaluation.clips
            let wanted = FeatureStore.bytes(clips: samples, steps: classifier.frames, shape: classifier.trainedInputShape)
            // Behind a frozen CNN nothing else wants memory; activations of trained layers have a use for the other half.
            if wanted <= Double(classifier.trainsCNN ? left / 2 : left) { features = Int(wanted) }
        } else {
            samples = 0
        }
        left -= features
        step = try plan((least.activations?.bytes ?? 0) + max(0, left))
        left -= step.total - least.total
        keepsFeatures = features > 0
        keptClipBytes = classifier.frozen != nil ? 0 : max(0, Int(min(Double(left / 2), Double(clips) * Double(clipBytes))))
        estimate = MemoryEstimate(
            parameters: step.parameters, optimizer: step.optimizer, step: step.workspace, data: loading + features + keptClipBytes,
            program: StepMemory.program, repeated: step.activations?.repeated)
    }
}
