import VidTensor

/// The features of clips behind a frozen CNN, (clips, T, F), encoded once and then served from memory.
package final class FeatureStore {
    package let steps: Int
    package let features: Int
    private let buffer: Buffer
    /// Frames of each clip that are not padding.
    package private(set) var validFrames: [Int]

    package init(clips: Int, steps: Int, features: Int) {
        self.steps = steps
        self.features = features
        buffer = Buffer(count: clips * steps * features)
        validFrames = [Int](repeating: steps, count: clips)
    }

    package static func bytes(clips: Int, steps: Int, features: Int) -> Int { clips * steps * features * MemoryLayout<Float>.stride }

    /// The place of one clip's features, (T, F).
    package func clip(_ index: Int) -> Tensor { buffer.tensor([steps, features], offset: index * steps * features) }

    package func setValidFrames(_ count: Int, of index: Int) { validFrames[index] = count }

    /// Copies the features of the clips at `indices` into `batch` (B, T, F).
    package func gather(_ indices: ArraySlice<Int>, into batch: Tensor) {
        precondition(batch.count == indices.count * steps * features, "\(indices.count) clips into \(batch.shape)")
        var target = batch.base
        for index in indices {
            target.update(from: clip(index).base, count: steps * features)
            target += steps * features
        }
    }
}
