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

    /// A step from frames (B x T, H, W, C): the CNN is trained, too. Its activations are kept for the way back if they fit into
    /// `backwardBytes`, or else made again a chunk of frames at a time; the bits are the same.
    package func train(frames: Tensor, validFrames: [Int], labels: [Int]) throws -> Result {
        let rows = labels.count * classifier.frames
        let (encoder, pass) = (classifier.encoder, pass)
        if encoder.backwardBytes(frames: rows) <= TrainingStep.backwardBytes {
            let kept = encoder.forwardKeeping(frames: frames, pass)
            return try train(encoder.features(kept: kept, count: rows), validFrames: validFrames, labels: labels) { dFeatures in
                encoder.goBack(frames: frames, kept: kept, dFeatures: dFeatures, pass)
            }
        }
        let features = pass.workspace.take([rows, classifier.features])
        encoder.encode(frames: frames, into: features, pass)
        let chunk = TrainingStep.chunk(classifier, frames: rows)
        return try train(features, validFrames: validFrames, labels: labels) { dFeatures in
            encoder.backward(frames: frames, dFeatures: dFeatures, pass, chunk: chunk)
        }
    }

    /// A step of the head alone from features (B, T, F).
    package func train(features: Tensor, validFrames: [Int], labels: [Int]) throws -> Result {
        try train(features, validFrames: validFrames, labels: labels, goBack: nil)
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

    /// Bytes that the way back may take for activations.
    private static let backwardBytes = 5 << 28

    /// Frames that go back at a time: as many as fit into `backwardBytes`. The bits do not depend on it.
    package static func chunk(_ classifier: Classifier, frames: Int) -> Int {
        classifier.encoder.backwardChunk(frames: frames, bytes: backwardBytes)
    }
}
