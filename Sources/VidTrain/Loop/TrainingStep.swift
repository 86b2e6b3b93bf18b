import VidModel
import VidTensor

/// One step of training on one or more batches: forward, loss and backward for each, then one update.
///
/// Call `begin`; for each batch call `nextBatch`, take the batch from `context.workspace` and call `add`; then call `update`.
package final class TrainingStep {
    /// The result of one batch.
    package struct Result: Sendable {
        /// Sum over the clips.
        package let loss: Double
        /// Clips whose decision is their label.
        package let correct: Int
    }

    package let classifier: Classifier
    package let optimizer: Optimizer
    /// The optimiser's scalars after the last step.
    package private(set) var optimizerState: OptimizerState
    package let context: Context
    private let loss: CategoricalCrossEntropy
    /// For whole batches; smaller ones stay within its bytes. Nil where the CNN is frozen.
    private let activations: ActivationPlan?

    /// - Parameter memory: the plan for the largest batch; its workspace is reserved, but not yet touched.
    /// - Throws: `.other` if memory runs out.
    package init(
        _ classifier: Classifier, optimizer: Optimizer, state: OptimizerState = OptimizerState(), labelSmoothing: Float,
        memory: StepMemory, workers: Workers, random: RandomGenerator
    ) throws {
        self.classifier = classifier
        self.optimizer = optimizer
        optimizerState = state
        loss = CategoricalCrossEntropy(labelSmoothing: labelSmoothing)
        context = Context(parameters: classifier.parameters, workers: workers, random: random, isTraining: true)
        try context.workspace.reserve(bytes: memory.workspace)
        try classifier.parameters.reserveGradients()
        try classifier.frozen?.reserveFilters(gradients: false, context)
        try classifier.trained?.reserveFilters(gradients: true, context)
        activations = memory.activations
    }

    /// Starts a step: sets the gradients to 0.
    package func begin() {
        nextBatch()
        classifier.parameters.zeroGradients()
    }

    /// Frees the memory of the last batch.
    package func nextBatch() { context.workspace.reset() }

    /// Adds the gradients of a batch of inputs of the trained part of the network: features (B x T, F) behind a frozen CNN,
    /// or else the frames, or the maps behind its frozen layers, (B x T, H, W, C).
    ///
    /// - Parameter denominator: the clips of all batches of the step. The gradients are those of their mean loss.
    package func add(input: Tensor, validFrames: [Int], targets: StepTargets, denominator: Int) throws(NonFinite) -> Result {
        let rows = input.shape[0]
        precondition(rows == targets.labels.count * classifier.frames, "\(input.shape) for \(targets.labels.count) clips")
        var validFrames = validFrames
        if let mixUp = targets.mixUp {
            mixUp.apply(to: input, steps: classifier.frames, context)
            // Padding repeats a frame: a mixed frame is valid where either of its two is.
            validFrames = validFrames.indices.map { max(validFrames[$0], validFrames[mixUp.partners[$0]]) }
        }
        guard let trained = classifier.trained, let activations else {
            return try add(input, validFrames: validFrames, targets, denominator, backward: nil)
        }
        let saved = trained.forward(frames: input, saving: activations.resized(trained, frames: rows), context)
        return try add(saved.features, validFrames: validFrames, targets, denominator) { [context] dFeatures in
            trained.backward(frames: input, saved: saved, dFeatures: dFeatures, context)
        }
    }

    /// Updates the weights by the gradients.
    ///
    /// - Parameters:
    ///   - learningRate: nil: the optimiser's.
    ///   - keepsGradients: whether somebody reads the gradients before the next step begins. Otherwise they are 0 afterwards.
    /// - Throws: where a gradient is not finite; nothing is changed then.
    package func update(learningRate: Double? = nil, keepsGradients: Bool = false) throws(NonFinite) {
        guard
            optimizer.step(
                classifier.parameters, &optimizerState, context.workers, learningRate: learningRate, clearsGradients: !keepsGradients)
        else { throw .gradient }
    }

    /// `backward` passes the gradient of the features (B x T, F) on to the CNN, if that is trained.
    private func add(
        _ features: Tensor, validFrames: [Int], _ targets: StepTargets, _ denominator: Int, backward: ((_ dFeatures: Tensor) -> Void)?
    ) throws(NonFinite) -> Result {
        let (batch, steps) = (targets.labels.count, classifier.frames)
        let sequence = features.reshaped([batch, steps, classifier.features])
        let mask = Batch.mask(validFrames, steps: steps, context.workspace)
        let forward = classifier.head.forward(sequence, mask: mask, context)
        let result = targets.evaluate(loss, forward.logits, denominator: denominator, context)
        guard result.loss.isFinite else { throw .loss(result.loss) }
        let dFeatures = classifier.head.backward(result.dLogits, forward, context, needsInputGradient: backward != nil)
        if let backward, let dFeatures { backward(dFeatures.reshaped([batch * steps, classifier.features])) }
        return Result(loss: result.loss, correct: result.correct)
    }

    /// The number that made a step fail.
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

extension TrainingStep {
    /// Where numbers that are not finite begin, after `add` or `update` has thrown: the first layer whose output has one, or
    /// the last layer whose gradient has one.
    ///
    /// - Parameter input: the batch that was passed to `add`.
    func whereNotFinite(input: Tensor, validFrames: [Int]) -> String {
        let clips = validFrames.count
        if !Reductions.sumOfSquares(input, context.workers).isFinite {
            // Loaded pixels are finite, so the frozen layers are the cause.
            return classifier.frozen?.layers.last.map { "the output of the frozen layers, up to \($0.name), is not finite" }
                ?? "the input is not finite"
        }
        var features = input
        if let trained = classifier.trained {
            if let name = trained.firstNotFinite(frames: input, context) { return "the first layer whose output is not finite is \(name)" }
            features = context.workspace.take([input.shape[0], classifier.features])
            trained.encode(frames: input, into: features, context)
        }
        let sequence = features.reshaped([clips, classifier.frames, classifier.features])
        let mask = Batch.mask(validFrames, steps: classifier.frames, context.workspace)
        if let name = classifier.head.firstNotFinite(sequence, mask: mask, context) {
            return "the first layer whose output is not finite is \(name)"
        }
        let parameters = classifier.parameters
        let slice = parameters.slices.last { slice in
            parameters.gradient(slice).map { !Reductions.sumOfSquares($0, context.workers).isFinite } ?? false
        }
        return slice.map { "the outputs of all layers are finite; the first gradient that is not, going back, is that of \($0.name)" }
            ?? "the outputs and gradients of all layers are finite"
    }
}

extension ParameterStore {
    /// Whether all values are finite.
    package func isFinite(_ workers: Workers) -> Bool { Reductions.sumOfSquares(values.tensor([values.count]), workers).isFinite }
}
