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

    /// Bytes of the program itself, its libraries, and the threads' buffers in OpenBLAS.
    package static let program = 64 << 20

    package var total: Int { StepMemory.program + parameters + optimizer + workspace }

    /// Plans steps of `batchSize` clips.
    ///
    /// - Parameters:
    ///   - isMixed: whether mixup is on, which copies a batch.
    ///   - activationLimit: the most bytes of activations, raised to the least that a step needs. Nil: what the budget leaves.
    /// - Throws: `.badData` where a step does not fit into the budget.
    package init(
        _ classifier: Classifier, slots: Int, batchSize: Int, isMixed: Bool = false, threads: Int, budget: MemoryBudget,
        activationLimit: Int? = nil
    ) throws {
        let float = MemoryLayout<Float>.stride
        // First in floating-point numbers: a configuration may name extents whose product overflows.
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

/// The bytes that a training may take in all: `training.memory_gib`, or what the machine has free.
package struct MemoryBudget: Sendable {
    package let bytes: Int
    /// Whether the configuration sets it.
    package let isGiven: Bool

    package init(gibibytes: Double?) {
        isGiven = gibibytes != nil
        // A twentieth of the free memory is left for other programs.
        bytes = gibibytes.map { Int(min($0 * 0x1p30, 0x1p60)) } ?? (Machine.grantableBytes + Machine.residentBytes) / 20 * 19
    }

    /// Says that `bytes` are too many: "at least 1.84 GiB of memory, but training.memory_gib allows 1.5 GiB".
    func refusal(of bytes: Double) -> String {
        "at least \(MemoryBudget.gibibytes(bytes)) GiB of memory, but " + (isGiven ? "training.memory_gib allows" : "the machine has")
            + " \(MemoryBudget.gibibytes(Double(self.bytes))) GiB" + (isGiven ? "" : " free")
    }

    /// With two decimals, the last rounded up.
    private static func gibibytes(_ bytes: Double) -> String { "\((bytes / 0x1p30 * 100).rounded(.up) / 100)" }
}
