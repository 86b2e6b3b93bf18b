import VidModel
import VidTensor

/// One step of training on a batch: forward, loss, backward, update.
///
/// The caller calls `begin`, takes the batch from `pass.workspace`, and calls one of the two steps.
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

    package init(
        _ classifier: Classifier, optimizer: any Optimizer, state: OptimizerState = OptimizerState(), labelSmoothing: Float,
        workers: Workers,
        random: RandomGenerator
    ) {
        self.classifier = classifier
        self.optimizer = optimizer
        optimizerState = state
        loss = CategoricalCrossEntropy(labelSmoothing: labelSmoothing)
        pass = Pass(parameters: classifier.parameters, workers: workers, random: random, isTraining: true)
    }

    /// Takes the memory of the last step back.
    package func begin() { pass.workspace.reset() }

    /// A step from frames (B x T, H, W, C): the CNN is trained, too.
    package func train(frames: Tensor, validFrames: [Int], labels: [Int]) throws -> Result {
        let rows = labels.count * classifier.frames
        let features = pass.workspace.take([rows, classifier.features])
        classifier.encoder.encode(frames: frames, into: features, pass)
        return try train(features, frames: frames, validFrames: validFrames, labels: labels)
    }

    /// A step of the head alone from features (B, T, F).
    package func train(features: Tensor, validFrames: [Int], labels: [Int]) throws -> Result {
        try train(features, frames: nil, validFrames: validFrames, labels: labels)
    }

    private func train(_ features: Tensor, frames: Tensor?, validFrames: [Int], labels: [Int]) throws -> Result {
        let (batch, steps) = (labels.count, classifier.frames)
        let sequence = features.reshaped([batch, steps, classifier.features])
        let mask = Batch.mask(validFrames, steps: steps, pass.workspace)
        let forward = classifier.head.forward(sequence, mask: mask, pass)
        let result = loss.evaluate(forward.logits, labels: labels, denominator: batch, pass)
        guard result.loss.isFinite else { throw NonFinite.loss(result.loss) }
        classifier.parameters.zeroGradients()
        let dFeatures = classifier.head.backward(result.dLogits, forward, pass, needsInputGradient: frames != nil)
        if let frames, let dFeatures {
            classifier.encoder.backward(
                frames: frames, dFeatures: dFeatures.reshaped([batch * steps, classifier.features]), pass,
                chunk: TrainingStep.chunk(classifier, frames: batch * steps))
        }
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

    /// Bytes that the way back may take for activations.
    private static let backwardBytes = 1 << 30

    /// Frames that go back at a time: as many as fit into `backwardBytes`, one at least. The bits do not depend on it.
    package static func chunk(_ classifier: Classifier, frames: Int) -> Int {
        min(frames, max(1, backwardBytes / max(1, classifier.encoder.backwardBytesPerFrame)))
    }
}
