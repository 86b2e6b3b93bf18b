import VidTensor

/// The frames of a clip, and the regions in them, that led the model to a class.
package struct ClipExplanation: Sendable, Equatable {
    /// Indices of the class explained and of the one it is compared with, if any.
    package let target: Int
    package let against: Int?
    /// (classes).
    package let logits: [Float]
    /// The number explained: the logit of the class, less the other's if there is one.
    package let score: Float
    /// The score when all features are 0.
    package let baseline: Float
    /// (T): how much each frame's features raise (above 0) or lower the score, by integrated gradients from the baseline to the
    /// clip. They add up to `score - baseline`, up to the error of the numerical integration. 0 for frames that do not count.
    package let contributions: [Float]
    /// The size of a map.
    package let mapRows: Int
    package let mapColumns: Int
    /// (T) maps of (mapRows, mapColumns): Grad-CAM of the score on the last convolution, none below 0, 0 for frames that do
    /// not count.
    package let maps: [[Float]]
    /// (T, C): Grad-CAM's weights of the convolution's channels, the mean gradient of each.
    package let weights: [[Float]]
    /// Frames that count; the rest is padding that the model ignores.
    package let validFrames: Int

    /// The largest value of all maps: the end of their common scale. 0 if no region raised the score.
    package var hottest: Float { maps.reduce(0) { $1.reduce($0) { max($0, $1) } } }

    /// How far the sum of the contributions is from `score - baseline`.
    package var completenessError: Float { abs(contributions.reduce(0, +) - (score - baseline)) }
}

/// A clip's activations behind the last convolution, from which any class can be explained.
package final class ClipActivations {
    /// The last convolution's maps behind its ReLU, (T, h, w, C).
    let activations: Tensor
    private let memory: Buffer
    package let validFrames: Int
    package let logits: [Float]

    /// - Throws: `.other` if memory runs out.
    init(copying activations: Tensor, validFrames: Int, logits: [Float]) throws {
        memory = try Buffer(allocating: activations.count, isZeroed: false)
        self.activations = memory.tensor(activations.shape)
        self.activations.copy(from: activations)
        self.validFrames = validFrames
        self.logits = logits
    }
}
