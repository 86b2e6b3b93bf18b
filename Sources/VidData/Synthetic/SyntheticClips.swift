import VidSystem
import VidTensor

/// Clips of a striped disc whose class is only in the order of the frames.
///
/// The disc moves (`right`, `left`, `up`, `down`), its stripes turn (`clockwise`, `anticlockwise`), or it grows or shrinks; every
/// change is periodic. Starts are uniform, so any single frame is equally likely in every class, and the classes of a scene show
/// the same frames, so the set of frames does not reveal the class either (`SyntheticOrder`). With up to four classes, the
/// stripes' direction and the size do not change; with more, the pair of coordinates that the class does not order is shuffled.
package struct SyntheticClips: SyntheticData {
    package static let fileExtension = "bin"
    package static let labels = ["right", "left", "up", "down", "clockwise", "anticlockwise", "grow", "shrink"]

    package let classes: Int
    package let frames: Int
    package let rows: Int
    package let columns: Int
    package let seed: UInt64
    private let order: SyntheticOrder

    /// `classes` of 2...8, at least two frames of at least 8 x 8.
    package init(classes: Int = 4, frames: Int = 16, rows: Int = 64, columns: Int = 64, seed: UInt64 = 1) throws {
        let sides = 8...ClipShape.maximumSide
        for (name, value, range) in [
            ("classes", classes, 2...SyntheticClips.labels.count), ("frames", frames, 2...100_000), ("rows", rows, sides),
            ("columns", columns, sides),
        ] where !range.contains(value) {
            throw VidclassError(.usage, "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
        }
        self.classes = classes
        self.frames = frames
        self.rows = rows
        self.columns = columns
        self.seed = seed
        order = SyntheticOrder(frames: frames)
    }

    /// The names of the classes, in the order of their numbers.
    package var labels: [String] { Array(SyntheticClips.labels.prefix(classes)) }

    /// Clip `number` of class `label` (a place in `labels`): uint8, (frames, 3, rows, columns). It depends only on the seed and the
    /// arguments.
    package func clip(label: Int, number: Int) -> Clip { clip(label: label, scene: label << 32 | number) }

    /// The clip that shows scene `number` in the order of class `label`.
    package func clip(label: Int, scene number: Int) -> Clip {
        precondition((0..<classes).contains(label) && number >= 0, "class \(label) of \(classes), scene \(number)")
        var random = RandomGenerator(seed: seed, stream: 2 * UInt64(number))
        let scene = SyntheticScene(rows: rows, columns: columns, seed: seed, noiseStream: 2 * UInt64(number) + 1, random: &random)
        let start = random.below(order.length)
        let pairing = classes > 4 ? random.permutation(order.length) : [Int](repeating: 0, count: order.length)
        // Each frame is drawn once, however often the clip repeats it.
        var drawn: [Int: [UInt8]] = [:]
        var values: [UInt8] = []
        values.reserveCapacity(frames * 3 * rows * columns)
        for point in order.points(label: label, start: start, frames: frames, pairing: pairing) {
            if drawn[point] == nil {
                let (x, y) = order.point(point)
                let (angle, size) = order.point(pairing[point])
                var state = scene.origin
                state.x += x
                state.y += y
                state.angle += angle
                state.size += size
                drawn[point] = scene.frame(state, number: point)
            }
            values += drawn[point] ?? []
        }
        return Clip(
            shape: ClipShape(frames: frames, channels: 3, rows: rows, columns: columns), pixels: .bytes(values), framesPerSecond: 8)
    }

    package func write(label: Int, number: Int, to path: String) throws { try ClipFile.write(clip(label: label, number: number), to: path) }
}
