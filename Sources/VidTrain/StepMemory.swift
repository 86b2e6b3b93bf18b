import VidCluster
import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The memory of training steps, planned before the first one, and which activations the steps keep.
package struct StepMemory: Sendable {
    /// Bytes of values, gradients and the kernels transformed for Winograd convolutions.
    package let parameters: Int
    /// Bytes of the optimiser's slots.
    package let optimizer: Int
    /// Bytes of a step's workspace: the batch, activations, scratch.
    package let workspace: Int
    /// The activations of a batch that the trained layers of the CNN keep; nil where none is trained.
    package let activations: ActivationPlan?

    package var total: Int { MemoryBudget.program + parameters + optimizer + workspace }

    /// Plans steps of `batchSize` clips.
    ///
    /// - Parameters:
    ///   - shards: the shards of a step, of which this process computes all if it is alone.
    ///   - isMixed: whether mixup is on, which copies a batch.
    ///   - activationLimit: the most bytes of activations, raised to the least that a step needs. Nil: what the budget leaves.
    /// - Throws: `.badData` where a step does not fit into the budget.
    package init(
        _ classifier: Classifier, slots: Int, batchSize: Int, shards: Int = 1, isMixed: Bool = false, threads: Int, budget: MemoryBudget,
        activationLimit: Int? = nil
    ) throws {
        let float = MemoryLayout<Float>.stride
        // First what a step takes at least: behind this check, no size is far above the machine's memory.
        let batch = Size.product(batchSize, classifier.frames, classifier.trainedInputShape.count, float)
        let clip = Size.product(classifier.frames, classifier.frameShape.count, float)
        try StepMemory.check(Size.sum([batch, clip, classifier.encoder.encodeBytes(frames: 1)]), budget)
        let trainable = classifier.parameters.trainableRange.count
        parameters =
            (classifier.parameters.values.count + trainable) * float + (classifier.frozen?.filterBytes(gradients: false) ?? 0)
            + (classifier.trained?.filterBytes(gradients: true) ?? 0) + ShardSums.bytes(SumTree(shards: shards), values: trainable)
        optimizer = slots * trainable * float
        let frames = batchSize * classifier.frames
        let fixed = MemoryBudget.program + parameters + optimizer
        let head = classifier.head.stepBytes(clips: batchSize)
        let forward = PredictionMemory.encoding(classifier, threads: threads)
        let copy = isMixed ? batch : 0
        let evaluation = PredictionMemory.evaluation(classifier, threads: threads)
        if let trained = classifier.trained {
            let besides =
                batch + 2 * frames * classifier.features * float + head + trained.scratchBytes(workers: threads, gradients: true)
            let plan = ActivationPlan(trained, frames: frames, limit: activationLimit ?? budget.bytes - fixed - besides)
            activations = plan
            workspace = max(batch + max(besides - batch + plan.bytes, forward, copy), evaluation)
        } else {
            activations = nil
            workspace = max(batch + max(head, forward, copy), evaluation)
        }
        try StepMemory.check(total, budget, classifier.trained?.normalizesByBatch == true)
    }

    private static func check(_ bytes: Int, _ budget: MemoryBudget, _ normalizesByBatch: Bool = false) throws {
        let advice = normalizesByBatch ? ", or freeze the first layers with model.cnn.trainable" : ""
        try budget.check(
            Double(bytes), "a step of this training",
            remedy: "Use a smaller training.batch_size or model.input\(advice)" + (budget.isGiven ? ", or allow more." : "."))
    }
}
