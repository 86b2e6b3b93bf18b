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

    /// - Throws: `.badData` where the training cannot fit.
    init(_ classifier: Classifier, slots: Int, _ configuration: RunConfiguration, clips: Int, threads: Int) throws {
        let budget = MemoryBudget(gibibytes: configuration.training.memoryGiB)
        let batchSize = configuration.training.batchSize
        let clipBytes = classifier.frames * classifier.frameShape.count
        // The clips of a step, those being loaded for the next one, and those that a pass over all loads ahead.
        let loading = clipBytes * max(2 * min(batchSize, clips), ClipSource.ahead + 1)
        let least = try StepMemory(classifier, slots: slots, batchSize: batchSize, threads: threads, budget: budget, activationLimit: 0)
        var features = 0
        var left = budget.bytes - least.total - loading
        if classifier.frozen != nil {
            let wanted = FeatureStore.bytes(clips: clips, steps: classifier.frames, shape: classifier.trainedInputShape)
            // Behind a frozen CNN nothing else wants memory; activations of trained layers have a use for the other half.
            if wanted <= Double(classifier.trainsCNN ? left / 2 : left) { features = Int(wanted) }
        }
        left -= features
        step = try StepMemory(
            classifier, slots: slots, batchSize: batchSize, threads: threads, budget: budget,
            activationLimit: (least.activations?.bytes ?? 0) + max(0, left))
        left -= step.total - least.total
        keepsFeatures = features > 0
        keptClipBytes = classifier.frozen != nil ? 0 : max(0, min(left / 2, clips * clipBytes))
        estimate = MemoryEstimate(
            parameters: step.parameters, optimizer: step.optimizer, step: step.workspace, data: loading + features + keptClipBytes,
            program: StepMemory.program, repeated: step.activations?.repeated)
    }
}
