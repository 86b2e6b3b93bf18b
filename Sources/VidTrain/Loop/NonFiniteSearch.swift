import VidModel
import VidTensor

extension TrainingStep {
    /// Where numbers that are not finite begin, after `add` or `update` has thrown: the first layer whose output has one, or
    /// the last whose gradient has.
    ///
    /// - Parameter input: the batch, as `add` was given it.
    func whereNotFinite(input: Tensor, validFrames: [Int]) -> String {
        let clips = validFrames.count
        if !Reductions.sumOfSquares(input, context.workers).isFinite {
            // Pixels are finite, as they were loaded: what stands before made them so.
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
