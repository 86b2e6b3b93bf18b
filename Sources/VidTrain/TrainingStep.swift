import VidModel
import VidTensor

/// One step of training on a batch: forward, loss, backward, update.
///
/// The caller calls `begin`, takes the batch from `pass.workspace`, and calls `train`.
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
    package let pass: Pass
    private let loss: CategoricalCrossEntropy
    /// For whole batches; smaller ones keep to its bytes. Nil where the CNN is frozen.
    private let activations: ActivationPlan?

    /// - Parameter memory: the plan for the largest batch; its workspace is reserved, though not yet touched.
    package init(
        _ classifier: Classifier, optimizer: any Optimizer, state: OptimizerState = OptimizerState(), labelSmoothing: Float,
        memory: StepMemory, workers: Workers, random: RandomGenerator
    ) {
        self.classifier = classifier
        self.optimizer = optimizer
        optimizerState = state
        loss = CategoricalCrossEntropy(labelSmoothing: labelSmoothing)
        pass = Pass(parameters: classifier.parameters, workers: workers, random: random, isTraining: true)
        pass.workspace.reserve(bytes: memory.workspace)
        activations = memory.activations
    }

    /// Takes the memory of the last step back.
    package func begin() { pass.workspace.reset() }

    /// A step on what the trained part of the network takes: features (B x T, F) behind a frozen CNN, or else the frames, or
    /// the maps behind its frozen layers, (B x T, H, W, C).
    package func train(input: Tensor, validFrames: [Int], labels: [Int]) throws -> Result {
        precondition(input.shape[0] == labels.count * classifier.frames, "\(input.shape) for \(labels.count) clips")
        guard let trained = classifier.trained, let activations else {
            return try train(input, validFrames: validFrames, labels: labels, goBack: nil)
        }
        let rows = input.shape[0]
        let plan = activations.frames == rows ? activations : ActivationPlan(trained, frames: rows, limit: activations.bytes)
        let kept = trained.forward(frames: input, keeping: plan, pass)
        return try train(kept.features, validFrames: validFrames, labels: labels) { [pass] dFeatures in
            trained.backward(frames: input, kept: kept, dFeatures: dFeatures, pass)
        }
    }

    /// `goBack` takes the gradient of the features (B x T, F) on to the CNN, if that is trained.
    private func train(
        _ features: Tensor, validFrames: [Int], labels: [Int], goBack: ((_ dFeatures: Tensor) -> Void)?
    ) throws -> Result {
        let (batch, steps) = (labels.count, classifier.frames)
        let sequence = features.reshaped([batch, steps, classifier.features])
        let mask = Batch.mask(validFrames, steps: steps, pass.workspace)
        let forward = classifier.head.forward(sequence, mask: mask, pass)
        let result = loss.evaluate(forward.logits, labels: labels, denominator: batch, pass)
        guard result.loss.isFinite else { throw NonFinite.loss(result.loss) }
        classifier.parameters.zeroGradients()
        let dFeatures = classifier.head.backward(result.dLogits, forward, pass, needsInputGradient: goBack != nil)
        if let goBack, let dFeatures { goBack(dFeatures.reshaped([batch * steps, classifier.features])) }
        guard optimizer.step(classifier.parameters, &optimizerState, pass.workers) else { throw NonFinite.gradient }
        return Result(loss: result.loss, correct: result.correct)
    }

    /// Why a step was given up.
    enum NonFinite: Error {
        case loss(Double)
        case gradient

        var text: String {
            switch self {
            case .loss(let value): "the loss is \(value)"
            case .gradient: "a gradient is not finite"
            }
        }
    }
}
