import VidTensor

/// What some frames of a clip look like, small and grey: 16 x 16 means a frame, 0...255, of the square in its middle.
///
/// Frames of one colour say nothing (every clip may begin black) and are left out.
package struct FramePrints: Sendable, Equatable {
    /// The most frames of a clip that prints are kept of.
    package static let most = 32
    /// The rows and columns of the small frames that prints are made of.
    package static let side = 32
    /// The rows and columns of a print.
    package static let cellSide = 16
    /// Values of a print.
    package static let size = cellSide * cellSide
    /// A frame whose cells vary by less than this (standard deviation, levels of 255) is of one colour. Black, white and blue
    /// frames come out of x264 and MPEG-4 with less than 0.5.
    static let flatness = 3.0

    /// The prints, one after the other.
    package private(set) var cells: [UInt8]
    package private(set) var count: Int

    /// Prints of frames of `side` x `side` grey values.
    package init(frames: [[UInt8]]) {
        cells = []
        count = 0
        for frame in frames { append(frame) }
    }

    /// Prints as they were kept; nil for another number of values.
    package init?(cells: [UInt8], count: Int) {
        guard cells.count == count * FramePrints.size else { return nil }
        self.cells = cells
        self.count = count
    }

    /// Prints of frames in memory: the short side fitted, the middle cut out, as for videos; floats over their whole range.
    package init(_ clip: Clip) {
        cells = []
        count = 0
        let shape = clip.shape
        let grey: (Int) -> [Float]
        switch clip.pixels {
        case .bytes(let values):
            grey = { frame in FramePrints.grey(shape, frame) { Float(values[$0]) } }
        case .floats(let values):
            let low = values.min() ?? 0
            let range = max((values.max() ?? 0) - low, .leastNormalMagnitude)
            grey = { frame in FramePrints.grey(shape, frame) { (values[$0] - low) / range * 255 } }
        }
        for frame in 0..<shape.frames { append(FramePrints.small(grey(frame), shape.rows, shape.columns)) }
    }

    /// The mean of four values each.
    private mutating func append(_ frame: [UInt8]) {
        precondition(frame.count == FramePrints.side * FramePrints.side, "\(frame.count) values of a small frame")
        let side = FramePrints.side
        var print = [UInt8](repeating: 0, count: FramePrints.size)
        var (sum, squares) = (0, 0)
        for row in 0..<FramePrints.cellSide {
            for column in 0..<FramePrints.cellSide {
                let at = 2 * row * side + 2 * column
                let four = Int(frame[at]) + Int(frame[at + 1]) + Int(frame[at + side]) + Int(frame[at + side + 1])
                let value = (four + 2) / 4
                print[row * FramePrints.cellSide + column] = UInt8(value)
                sum += value
                squares += value * value
            }
        }
        let size = FramePrints.size
        let variance = Double(size * squares - sum * sum) / Double(size * size)
        guard variance >= FramePrints.flatness * FramePrints.flatness else { return }
        cells += print
        count += 1
    }

    /// A frame as grey values: of three channels ITU-R BT.601's luma, else their mean.
    private static func grey(_ shape: ClipShape, _ frame: Int, _ value: (Int) -> Float) -> [Float] {
        let pixels = shape.rows * shape.columns
        let base = frame * shape.frameCount
        return (0..<pixels).map { pixel in
            if shape.channels == 3 {
                return 0.299 * value(base + pixel) + 0.587 * value(base + pixels + pixel) + 0.114 * value(base + 2 * pixels + pixel)
            }
            var sum: Float = 0
            for channel in 0..<shape.channels { sum += value(base + channel * pixels + pixel) }
            return sum / Float(shape.channels)
        }
    }

    /// The square in the middle as `side` x `side` means; where there are fewer pixels than that, the nearest ones.
    private static func small(_ grey: [Float], _ rows: Int, _ columns: Int) -> [UInt8] {
        let square = min(rows, columns)
        let (top, left) = ((rows - square) / 2, (columns - square) / 2)
        func stretch(_ index: Int) -> Range<Int> {
            let low = index * square / side
            return low..<max(low + 1, (index + 1) * square / side)
        }
        var small: [UInt8] = []
        small.reserveCapacity(side * side)
        for row in 0..<side {
            for column in 0..<side {
                let (down, across) = (stretch(row), stretch(column))
                var sum: Float = 0
                for y in down { for x in across { sum += grey[(top + y) * columns + left + x] } }
                small.append(UInt8(max(0, min(255, (sum / Float(down.count * across.count)).rounded()))))
            }
        }
        return small
    }

    // MARK: - Comparing

    /// A perceptual hash: for each of 8 x 8 blocks whether it is brighter than their median.
    package func hash(_ index: Int) -> UInt64 {
        var blocks = [Int](repeating: 0, count: 64)
        let base = index * FramePrints.size
        for row in 0..<FramePrints.cellSide {
            for column in 0..<FramePrints.cellSide {
                blocks[row / 2 * 8 + column / 2] += Int(cells[base + row * FramePrints.cellSide + column])
            }
        }
        let median = blocks.sorted()[32]
        var hash: UInt64 = 0
        for (place, block) in blocks.enumerated() where block >= median { hash |= 1 << UInt64(place) }
        return hash
    }

    /// Whether no cell of the two prints differs by more than `limit` levels.
    package static func areAlike(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, limit: Int) -> Bool {
        var start = 0
        while start < size {
            var largest: Int16 = 0
            for at in start..<start + 32 {
                let difference = Int16(a[at]) - Int16(b[at])
                largest = max(largest, max(difference, -difference))
            }
            if largest > limit { return false }
            start += 32
        }
        return true
    }

    /// The mean difference of two prints' cells, in levels of 255.
    package static func difference(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>) -> Double {
        var sum = 0
        for at in 0..<size { sum += abs(Int(a[at]) - Int(b[at])) }
        return Double(sum) / Double(size)
    }
}
