import VidTensor

/// What of a clip spoke for a class: which frames, and which regions of them.
package struct ClipExplanation: Sendable, Equatable {
    /// Places of the classes: the one explained, and the one it is set against, where there is one.
    package let target: Int
    package let against: Int?
    /// The clip's, (classes).
    package let logits: [Float]
    /// What is explained: the logit of the class, less the other's where there is one.
    package let score: Float
    /// The same of a clip in which nothing is seen: all features 0.
    package let baseline: Float
    /// (T): how much each frame's features raise (above 0) or lower the score, by integrated gradients from nothing seen to
    /// the clip. They add up to `score - baseline`, but for the error of the sum that stands for the integral. 0 for frames
    /// that do not count.
    package let contributions: [Float]
    /// Of a map.
    package let mapRows: Int
    package let mapColumns: Int
    /// (T) maps of (mapRows, mapColumns): Grad-CAM of the score on the last convolution, none below 0, 0 for frames that do
    /// not count.
    package let maps: [[Float]]
    /// (T, C): Grad-CAM's weights of the convolution's channels, the mean gradient of each.
    package let weights: [[Float]]
    /// Frames that count; the rest is padding that the model does not look at.
    package let validFrames: Int

    /// The largest value of all maps: the end of their common scale. 0 where no region spoke for the class.
    package var hottest: Float { maps.reduce(0) { $1.reduce($0) { max($0, $1) } } }

    /// How far the contributions are from adding up.
    package var completenessError: Float { abs(contributions.reduce(0, +) - (score - baseline)) }
}

/// A clip after the last convolution: what explaining any class of it begins with.
package final class ClipActivations {
    /// The last convolution's maps behind its ReLU, (T, h, w, C).
    let activations: Tensor
    private let memory: Buffer
    package let validFrames: Int
    /// (classes).
    package let logits: [Float]

    init(copying activations: Tensor, validFrames: Int, logits: [Float]) {
        memory = Buffer(count: activations.count, isZeroed: false)
        self.activations = memory.tensor(activations.shape)
        self.activations.copy(from: activations)
        self.validFrames = validFrames
        self.logits = logits
    }
}
