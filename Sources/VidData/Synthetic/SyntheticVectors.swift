import RealModule
import VidSystem
import VidTensor

/// Vectors over time, such as poses, whose class is only in the order of the frames.
///
/// A state moves over a torus of four periodic coordinates as the scenes of `SyntheticClips` do: `right`, `left`, `up` and `down` change
/// the first two, the other classes the last two. Feature j is a wave of coordinate j / 2 modulo 4,
///
///     shift[j] + scale[j] (cos 2 pi (coordinate + phase[j]) + noise)
///
/// with the phases of two neighbours a quarter of a turn apart: one alone would not tell the direction. Shifts, scales (0.01 to 100) and
/// phases are the data set's. Every state is equally likely in every class, and a clip's frames are the same in all classes.
package struct SyntheticVectors: SyntheticData {
    package static let fileExtension = "npy"

    package let labels: [String]
    package let frames: Int
    package let features: Int
    package let seed: UInt64
    private let order: SyntheticOrder
    private let waves: [(phase: Float, scale: Float, shift: Float)]

    /// `classes` of 2...8, at least two frames, and features for each coordinate that tells classes apart: 4, or 8 for more than four classes.
    package init(classes: Int = 4, frames: Int = 16, features: Int = 16, seed: UInt64 = 1) throws {
        for (name, value, range) in [
            ("classes", classes, 2...SyntheticClips.labels.count), ("frames", frames, 2...100_000),
            ("features", features, (classes > 4 ? 8 : 4)...ClipShape.maximumSide),
        ] where !range.contains(value) {
            throw VidclassError(.usage, "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
        labels = Array(SyntheticClips.labels.prefix(classes))
        self.frames = frames
        self.features = features
        self.seed = seed
        order = SyntheticOrder(frames: frames)
        // The clips have the streams below.
        var random = RandomGenerator(seed: seed, stream: .max)
        var phase: Float = 0
        waves = (0..<features).map { feature in
            phase = feature % 2 == 0 ? random.uniform() : phase + 0.25
            let scale = Float.pow(10, random.uniform(-2, 2))
            return (phase, scale, random.uniform(-10, 10) * scale)
        }
    }

    /// Clip `number` of class `label`: (frames, features). It depends only on the seed and the arguments.
    package func values(label: Int, number: Int) -> [Float] { values(label: label, scene: label << 32 | number) }

    /// The clip that shows scene `number` in the order of class `label`.
    package func values(label: Int, scene number: Int) -> [Float] {
        precondition(labels.indices.contains(label) && number >= 0, "class \(label) of \(labels.count), scene \(number)")
        var random = RandomGenerator(seed: seed, stream: UInt64(number))
        let origin = (0..<4).map { _ in random.uniform() }
        let start = random.below(order.length)
        let pairing = labels.count > 4 ? random.permutation(order.length) : [Int](repeating: 0, count: order.length)
        let scene = (0..<order.length).map { point in
            let (x, y) = order.point(point)
            let (angle, size) = order.point(pairing[point])
            let state = zip([x, y, angle, size], origin).map { $0 + $1 }
            return waves.enumerated().map { feature, wave in
                let angle = 2 * Float.pi * (state[feature / 2 % 4] + wave.phase)
                return wave.shift + wave.scale * (Float.cos(angle) + random.uniform(-0.1, 0.1))
            }
        }
        return order.points(label: label, start: start, frames: frames, pairing: pairing).flatMap { scene[$0] }
    }

    package func write(label: Int, number: Int, to path: String) throws {
        try NumpyFile.write(values(label: label, number: number), features: features, to: path)
    }
}
