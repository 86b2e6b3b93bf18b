import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The bytes that training steps hold in memory, planned before the first one, and what of the activations they keep.
package struct StepMemory: Sendable {
    /// Values, gradients and the kernels transformed for Winograd convolutions.
    package let parameters: Int
    /// The optimiser's slots.
    package let optimizer: Int
    /// What a step's workspace holds: the batch, activations, scratch.
    package let workspace: Int
    /// What the trained layers of the CNN keep of a batch; nil where none is trained.
    package let activations: ActivationPlan?

    /// The program itself, its libraries, and the threads' buffers in OpenBLAS.
    package static let program = 64 << 20

    package var total: Int { StepMemory.program + parameters + optimizer + workspace }

    /// Plans steps of `batchSize` clips.
    ///
    /// - Parameters:
    ///   - isMixed: whether clips are mixed, for which a batch is copied.
    ///   - activationLimit: bytes of activations to keep within; where even the least that a step can do with is more, it is
    ///     that. Nil: all that the budget leaves.
    /// - Throws: `.badData` where steps do not fit into the budget.
    package init(
        _ classifier: Classifier, slots: Int, batchSize: Int, isMixed: Bool = false, threads: Int, budget: MemoryBudget,
        activationLimit: Int? = nil
    ) throws {
        let float = MemoryLayout<Float>.stride
        // Counted as floating-point numbers first: a config may name extents whose product overflows.
        let frameBytes = Double(classifier.frames) * Double(classifier.frameShape.count * float)
        let batch = Double(batchSize) * Double(classifier.frames) * Double(classifier.trainedInputShape.count * float)
        try StepMemory.check(batch + frameBytes + Double(classifier.encoder.encodeBytes(frames: 1)), budget)
        let trainable = classifier.parameters.trainableRange.count
        parameters =
            (classifier.parameters.values.count + trainable) * float + (classifier.frozen?.filterBytes(gradients: false) ?? 0)
            + (classifier.trained?.filterBytes(gradients: true) ?? 0)
        optimizer = slots * trainable * float
        let frames = batchSize * classifier.frames
        let fixed = StepMemory.program + parameters + optimizer
        let head = classifier.head.stepBytes(clips: batchSize)
        let forward =
            Int(frameBytes) + classifier.encoder.encodeBytes(frames: classifier.frames)
            + classifier.encoder.scratchBytes(workers: threads, gradients: false)
        let copy = isMixed ? Int(batch) : 0
        let group = Predictor.evaluationGroup
        let evaluation =
            group * classifier.frames * classifier.features * float
            + max(
                classifier.frames * classifier.trainedInputShape.count * float + (classifier.trained == nil ? 0 : forward),
                classifier.head.stepBytes(clips: group))
        if let trained = classifier.trained {
            let besides =
                Int(batch) + 2 * frames * classifier.features * float + head + trained.scratchBytes(workers: threads, gradients: true)
            let plan = ActivationPlan(trained, frames: frames, limit: activationLimit ?? budget.bytes - fixed - besides)
            activations = plan
            workspace = max(Int(batch) + max(besides - Int(batch) + plan.bytes, forward, copy), evaluation)
        } else {
            activations = nil
            workspace = max(Int(batch) + max(head, forward, copy), evaluation)
        }
        try StepMemory.check(Double(total), budget)
    }

    private static func check(_ bytes: Double, _ budget: MemoryBudget) throws {
        guard bytes <= Double(budget.bytes) else {
            throw VidclassError(
                .badData,
                "a step of this training needs \(budget.refusal(of: bytes)). Use a smaller training.batch_size or model.input"
                    + (budget.isGiven ? ", or allow more." : "."))
        }
    }
}
