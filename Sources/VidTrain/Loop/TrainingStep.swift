import VidModel
import VidTensor

/// One step of training on one or more batches: forward, loss and backward for each, then one update.
///
/// The caller calls `begin`, and for each batch `nextBatch`, takes the batch from `pass.workspace` and calls `add`; then
/// `update`.
package final class TrainingStep {
    /// Of one batch.
    package struct Result: Sendable {
        /// Sum over the clips.
        package let loss: Double
        /// Clips whose decision is their label.
        package let correct: Int
    }

    package let classifier: Classifier
    package let optimizer: any Optimizer
    /// The optimiser's scalars after the last step.
    package private(set) var optimizerState: OptimizerState
    package let context: Context
    private let loss: CategoricalCrossEntropy
    /// For whole batches; smaller ones keep to its bytes. Nil where the CNN is frozen.
    private let activations: ActivationPlan?

    /// - Parameter memory: the plan for the largest batch; its workspace is reserved, though not yet touched.
    /// - Throws: `.other` if memory runs out.
    package init(
        _ classifier: Classifier, optimizer: any Optimizer, state: OptimizerState = OptimizerState(), labelSmoothing: Float,
        memory: StepMemory, workers: Workers, random: RandomGenerator
    ) throws {
        self.classifier = classifier
        self.optimizer = optimizer
        optimizerState = state
        loss = CategoricalCrossEntropy(labelSmoothing: labelSmoothing)
        context = Context(parameters: classifier.parameters, workers: workers, random: random, isTraining: true)
        try context.workspace.reserve(bytes: memory.workspace)
        activations = memory.activations
    }

    /// Starts a step: no gradient has been added yet.
    package func begin() {
        nextBatch()
        classifier.parameters.zeroGradients()
    }

    /// Takes the memory of the last batch back.
    package func nextBatch() { context.workspace.reset() }

    /// Adds the gradients of a batch of what the trained part of the network takes: features (B x T, F) behind a frozen CNN,
    /// or else the frames, or the maps behind its frozen layers, (B x T, H, W, C).
    ///
    /// - Parameter denominator: the clips of all batches of the step, whose mean loss the gradients are of.
    package func add(input: Tensor, validFrames: [Int], targets: StepTargets, denominator: Int) throws(NonFinite) -> Result {
        let rows = input.shape[0]
        precondition(rows == targets.labels.count * classifier.frames, "\(input.shape) for \(targets.labels.count) clips")
        var validFrames = validFrames
        if let mixture = targets.mixture {
            mixture.apply(to: input, steps: classifier.frames, context)
            // Padding repeats a frame: a mixed frame counts where either of its two does.
            validFrames = validFrames.indices.map { max(validFrames[$0], validFrames[mixture.partners[$0]]) }
        }
        guard let trained = classifier.trained, let activations else {
            return try add(input, validFrames: validFrames, targets, denominator, goBack: nil)
        }
        let plan = activations.frames == rows ? activations : ActivationPlan(trained, frames: rows, limit: activations.bytes)
        let kept = trained.forward(frames: input, keeping: plan, context)
        return try add(kept.features, validFrames: validFrames, targets, denominator) { [context] dFeatures in
            trained.backward(frames: input, kept: kept, dFeatures: dFeatures, context)
        }
    }

    /// Changes the weights by the gradients that were added.
    ///
    /// - Parameter learningRate: nil: that of the optimiser.
    /// - Throws: where a gradient is not finite; nothing is changed then.
    package func update(learningRate: Double? = nil) throws(NonFinite) {
        guard optimizer.step(classifier.parameters, &optimizerState, context.workers, learningRate: learningRate) else { throw .gradient }
    }

    /// `goBack` takes the gradient of the features (B x T, F) on to the CNN, if that is trained.
    private func add(
        _ features: Tensor, validFrames: [Int], _ targets: StepTargets, _ denominator: Int, goBack: ((_ dFeatures: Tensor) -> Void)?
    ) throws(NonFinite) -> Result {
        let (batch, steps) = (targets.labels.count, classifier.frames)
        let sequence = features.reshaped([batch, steps, classifier.features])
        let mask = Batch.mask(validFrames, steps: steps, context.workspace)
        let forward = classifier.head.forward(sequence, mask: mask, context)
        let result = targets.evaluate(loss, forward.logits, denominator: denominator, context)
        guard result.loss.isFinite else { throw .loss(result.loss) }
        let dFeatures = classifier.head.backward(result.dLogits, forward, context, needsInputGradient: goBack != nil)
        if let goBack, let dFeatures { goBack(dFeatures.reshaped([batch * steps, classifier.features])) }
        return Result(loss: result.loss, correct: result.correct)
    }

    /// Why a step was given up.
    package enum NonFinite: Error {
        case loss(Double)
        case gradient

        package var text: String {
            switch self {
            case .loss(let value): "the loss is \(value.isNaN ? "nan" : "\(value)")"
            case .gradient: "a gradient is not finite"
            }
        }
    }
}
