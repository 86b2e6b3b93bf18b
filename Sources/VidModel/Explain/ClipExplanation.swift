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
    /// (T, F): the same for each feature by itself, in a model without a CNN, whose features are the numbers of the frames; empty
    /// otherwise.
    package let featureContributions: [[Float]]
    /// The size of a map; 0 x 0 for vectors, which have no maps.
    package let mapRows: Int
    package let mapColumns: Int
    /// (T) maps of (mapRows, mapColumns), none below 0, 0 for frames that do not count: Grad-CAM of the score on the last convolution,
    /// or without a CNN the contributions of the pixels. Empty for the frames whose maps were not asked for.
    package let maps: [[Float]]
    /// (T, C): Grad-CAM's weights of the convolution's channels, the mean gradient of each; empty without a CNN, and where the map is.
    package let weights: [[Float]]
    /// Frames that count; the rest is padding that the model ignores.
    package let validFrames: Int

    /// The largest value of all maps: the end of their common scale. 0 if no region raised the score.
    package var hottest: Float { maps.reduce(0) { $1.reduce($0) { max($0, $1) } } }

    /// How far the sum of the contributions is from `score - baseline`.
    package var completenessError: Float { abs(contributions.reduce(0, +) - (score - baseline)) }
}

/// A clip's features, and its frames' activations behind the last convolution, from which any class can be explained.
package final class ClipActivations {
    /// The last convolution's maps behind its ReLU, (places, h, w, C).
    let activations: Tensor
    /// The frames that have these maps.
    let places: [Int]
    /// The features of all frames, (T, F).
    let features: Tensor
    private let memory: (activations: Buffer, features: Buffer)
    package let validFrames: Int
    package let logits: [Float]

    /// - Throws: `.other` if memory runs out.
    init(copying activations: Tensor, of places: [Int], features: Tensor, validFrames: Int, logits: [Float]) throws {
        memory = (
            try Buffer(allocating: activations.count, isZeroed: false), try Buffer(allocating: features.count, isZeroed: false)
        )
        self.activations = memory.activations.tensor(activations.shape)
        self.activations.copy(from: activations)
        self.places = places
        self.features = memory.features.tensor(features.shape)
        self.features.copy(from: features)
        self.validFrames = validFrames
        self.logits = logits
    }
}

extension ClipExplanation {
    /// The features of the largest contributions in either direction, over all frames, largest first.
    package func topFeatures(_ count: Int) -> [(feature: Int, contribution: Float)] {
        guard let width = featureContributions.first?.count else { return [] }
        var sums = [Double](repeating: 0, count: width)
        for frame in featureContributions { for (feature, value) in frame.enumerated() { sums[feature] += Double(value) } }
        return sums.indices.sorted { (abs(sums[$1]), $0) < (abs(sums[$0]), $1) }.prefix(count).map { ($0, Float(sums[$0])) }
    }
}
