import VidTensor

/// The outputs of frozen layers for clips, (clips, T, ...), computed once and then served from memory.
package final class FeatureStore {
    package let steps: Int
    /// Of one frame's output.
    package let shape: Shape
    private let buffer: Buffer
    /// Frames of each clip that are not padding.
    package private(set) var validFrames: [Int]

    /// - Throws: `.other` if memory runs out.
    package init(clips: Int, steps: Int, shape: Shape) throws {
        self.steps = steps
        self.shape = shape
        buffer = try Buffer(allocating: clips * steps * shape.count, isZeroed: false)
        validFrames = [Int](repeating: steps, count: clips)
    }

    /// As a floating-point number, because a config may ask for more than an integer counts.
    package static func bytes(clips: Int, steps: Int, shape: Shape) -> Double {
        Double(clips) * Double(steps) * Double(shape.count) * Double(MemoryLayout<Float>.stride)
    }

    /// The place of one clip's output, (T, ...).
    package func clip(_ index: Int) -> Tensor { buffer.tensor(shape.prepending(steps), offset: index * steps * shape.count) }

    package func setValidFrames(_ count: Int, of index: Int) { validFrames[index] = count }

    /// Copies the outputs for the clips at `indices` into `batch` (B x T, ...).
    package func gather(_ indices: ArraySlice<Int>, into batch: Tensor) {
        let count = steps * shape.count
        precondition(batch.count == indices.count * count, "\(indices.count) clips into \(batch.shape)")
        var target = batch.base
        for index in indices {
            target.update(from: clip(index).base, count: count)
            target += count
        }
    }
}
