import VidTensor

/// Small grey prints of some frames of a clip: for each frame 16 x 16 means, 0...255, of the square in its middle.
///
/// Frames of one colour are left out, because they do not identify a clip (any clip may start with black).
package struct FramePrints: Sendable, Equatable {
    /// The largest number of prints of a clip.
    package static let most = 32
    /// The rows and columns of the small frames from which prints are made.
    package static let side = 32
    /// The rows and columns of a print.
    package static let cellSide = 16
    /// The number of values of a print.
    package static let size = cellSide * cellSide
    /// A frame counts as one colour if the standard deviation of its cells, in levels of 255, is below this. Black, white and blue
    /// frames encoded by x264 and MPEG-4 have less than 0.5.
    static let flatness = 3.0

    /// The prints, one after the other.
    package private(set) var cells: [UInt8]
    package private(set) var count: Int

    /// The grey values (side x side) of a small frame (3, side, side) in colour, rounded.
    static func grey(ofSmall frame: [UInt8]) -> [UInt8] {
        grey(ClipShape(frames: 1, channels: 3, rows: side, columns: side), 0) { Float(frame[$0]) }.map { UInt8($0.rounded()) }
    }

    /// Makes prints of frames of `side` x `side` grey values.
    package init(frames: [[UInt8]]) {
        cells = []
        count = 0
        for frame in frames { append(frame) }
    }

    /// Restores stored prints; nil if the number of values is wrong.
    package init?(cells: [UInt8], count: Int) {
        guard cells.count == count * FramePrints.size else { return nil }
        self.cells = cells
        self.count = count
    }

    /// Makes prints of frames in memory, scaled and cropped as videos are; floats are scaled from their whole range.
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

    /// Appends the print of a small frame, each cell the mean of four values, unless the frame is flat.
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

    /// The grey values of a frame: ITU-R BT.601 luma for three channels, otherwise the channels' mean.
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

    /// The middle square as `side` x `side` means, or the nearest pixels if there are fewer.
    private static func small(_ grey: [Float], _ rows: Int, _ columns: Int) -> [UInt8] {
        let square = min(rows, columns)
        let (top, left) = ((rows - square) / 2, (columns - square) / 2)
        func span(_ index: Int) -> Range<Int> {
            let low = index * square / side
            return low..<max(low + 1, (index + 1) * square / side)
        }
        var small: [UInt8] = []
        small.reserveCapacity(side * side)
        for row in 0..<side {
            for column in 0..<side {
                let (down, across) = (span(row), span(column))
                var sum: Float = 0
                for y in down { for x in across { sum += grey[(top + y) * columns + left + x] } }
                small.append(UInt8(max(0, min(255, (sum / Float(down.count * across.count)).rounded()))))
            }
        }
        return small
    }

    // MARK: - Comparing

    /// A perceptual hash: one bit for each of 8 x 8 blocks, set if the block is at least as bright as their median.
    ///
    /// Four blocks share a word, 16 bits each, of which the highest is set before a subtraction: it stays set where the block is not less.
    package func hash(_ index: Int) -> UInt64 {
        precondition(0 <= index && index < count, "print \(index) of \(count)")
        let ones: UInt64 = 0x0001_0001_0001_0001
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 16) { blocks in
            cells.withUnsafeBytes { cells in
                for place in 0..<16 {
                    let start = index * FramePrints.size + place / 2 * 2 * FramePrints.cellSide + place % 2 * 8
                    let upper = UInt64(littleEndian: cells.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                    let lower = UInt64(littleEndian: cells.loadUnaligned(fromByteOffset: start + FramePrints.cellSide, as: UInt64.self))
                    let sums = FramePrints.sumsOfTwo(upper) &+ FramePrints.sumsOfTwo(lower)
                    blocks.initializeElement(at: place, to: sums | ones << 15)
                }
            }
            // The median, of which as many blocks are greater as less: the least value that 33 blocks do not exceed.
            var (low, high): (UInt64, UInt64) = (0, 4 * 255)
            while low < high {
                let middle = (low + high) / 2
                var greater: UInt64 = 0
                for place in 0..<16 { greater &+= (blocks[place] &- (middle + 1) &* ones) >> 15 & ones }
                if (greater &* ones) >> 48 < 32 { high = middle } else { low = middle + 1 }
            }
            var hash: UInt64 = 0
            for place in 0..<16 {
                let notLess = (blocks[place] &- low &* ones) >> 15 & ones
                // The product brings the lowest bits of the four parts together.
                let four: UInt64 = (notLess &* 0x0001_0002_0004_0008) >> 48 & 15
                hash |= four << UInt64(4 * place)
            }
            return hash
        }
    }

    /// The sums of the first two of eight bytes, of the next two and so on, in 16 bits each.
    private static func sumsOfTwo(_ bytes: UInt64) -> UInt64 {
        let even: UInt64 = 0x00FF_00FF_00FF_00FF
        return (bytes & even) &+ (bytes >> 8 & even)
    }

    /// Returns whether no cell of the two prints differs by more than `limit` levels.
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
