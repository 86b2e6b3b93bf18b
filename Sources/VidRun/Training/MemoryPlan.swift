import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// How a training's memory is divided between a step's activations, the outputs of frozen layers and loaded clips.
struct MemoryPlan {
    let step: StepMemory
    let estimate: MemoryEstimate
    /// Whether the outputs of frozen layers are kept in memory for all clips.
    let keepsFeatures: Bool
    /// Bytes of loaded clips to keep between epochs: half of what is left after the rest.
    let keptClipBytes: Int
    /// Samples that frozen layers are run on once.
    let samples: Int

    /// - Parameters:
    ///   - training: training clips.
    ///   - validation: validation clips.
    /// - Throws: `.badData` if the training does not fit.
    init(
        _ classifier: Classifier, slots: Int, _ configuration: RunConfiguration, training: Int, validation: Int, threads: Int
    ) throws {
        let budget = MemoryBudget(gibibytes: configuration.training.memoryGiB)
        let batchSize = configuration.clipsPerPass
        let clipBytes = classifier.frames * classifier.frameShape.count
        let clips = training + validation
        func plan(_ activationLimit: Int) throws -> StepMemory {
            try StepMemory(
                classifier, slots: slots, batchSize: batchSize, shards: configuration.training.shards,
                isMixed: configuration.augmentation.mixup > 0, threads: threads,
                budget: budget, activationLimit: activationLimit)
        }
        let least = try plan(0)
        // The clips of a step, those being loaded for the next one, and those that a pass over all clips loads ahead.
        let loading = clipBytes * max(2 * min(batchSize, clips), ClipSource.ahead + 1)
        var features = 0
        let familiarity = Familiarity.bytes(training: training, validation: validation, dimensions: classifier.meanFeatureCount)
        var left = budget.bytes - least.total - loading - familiarity
        if classifier.frozen != nil {
            samples =
                training * (SamplePlan.training(configuration, behindFrozenLayers: true).perClip ?? 0)
                + validation * configuration.evaluation.clips
            let wanted = FeatureStore.bytes(clips: samples, steps: classifier.frames, shape: classifier.trainedInputShape)
            // Behind a frozen CNN nothing else needs memory; activations of trained layers can use the other half.
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
            parameters: step.parameters, optimizer: step.optimizer, step: step.workspace,
            data: loading + features + keptClipBytes + familiarity,
            program: MemoryBudget.program, repeated: step.activations?.repeated)
    }

    /// The plan in words, layer by layer where layers differ.
    func lines(_ classifier: Classifier) -> [String] {
        var lines = [
            classifier.frozen == nil
                ? "up to \(Formatting.bytes(keptClipBytes)) of loaded clips are kept between epochs"
                : "the frozen layers' outputs for \(Formatting.count(samples, "sample")) "
                    + (keepsFeatures ? "are kept in memory" : "don't fit into memory or change each time: they are computed when needed")
        ]
        guard let activations = step.activations, let trained = classifier.trained else { return lines }
        lines.append("a step keeps up to \(Formatting.bytes(activations.bytes)) of activations:")
        if let checkpoints = activations.checkpoints, activations.repeated > 0 {
            lines.append(MemoryPlan.line(checkpoints.map { trained.layers[$0].name }))
            return lines
        }
        for part in activations.parts {
            let layers =
                part.from == 0
                ? "all layers" : part.from < trained.layers.count ? "from \(trained.layers[part.from].name) on" : "none, all are recomputed"
            lines.append("  frames \(part.frames.lowerBound + 1) to \(part.frames.upperBound): \(layers)")
        }
        return lines
    }

    /// A line that names the layers whose outputs are kept by a step with trained batch normalization, which runs each layer on all
    /// frames at once.
    private static func line(_ checkpoints: [String]) -> String {
        guard let last = checkpoints.last else {
            return "  all frames: all layers but batch normalizations and activations of the first or all layers, which are recomputed"
        }
        let others = checkpoints.dropLast()
        return "  all frames: from \(last) on"
            + (others.isEmpty ? "" : " and the outputs of \(others.joined(separator: ", "))") + "; the layers before it are recomputed"
    }
}
