import VidTensor

/// The extents of a clip: (frames, channels, rows, columns), outermost first.
package struct ClipShape: Sendable, Equatable, CustomStringConvertible {
    package static let maximumFrames = Int(UInt32.max)
    package static let maximumChannels = 64
    /// The largest number of rows and of columns.
    package static let maximumSide = 16_384

    package var frames: Int
    package var channels: Int
    package var rows: Int
    package var columns: Int

    package init(frames: Int, channels: Int, rows: Int, columns: Int) {
        self.frames = frames
        self.channels = channels
        self.rows = rows
        self.columns = columns
    }

    /// The number of values in one frame.
    package var frameCount: Int { channels * rows * columns }

    /// The number of values in all frames.
    package var count: Int { frames * frameCount }

    package var description: String { "(\(frames), \(channels), \(rows), \(columns))" }

    /// The reason why these extents are invalid; nil if they are valid, in which case `count * 4` cannot overflow.
    package var complaint: String? {
        let axes = [
            ("frames", frames, ClipShape.maximumFrames), ("channels", channels, ClipShape.maximumChannels),
            ("rows", rows, ClipShape.maximumSide), ("columns", columns, ClipShape.maximumSide),
        ]
        for (name, extent, limit) in axes where extent < 1 || extent > limit {
            return "expected 1...\(limit) \(name), found \(extent)"
        }
        guard !frames.multipliedReportingOverflow(by: frameCount * 4).overflow else { return "\(self) has more bytes than 2^63" }
        return nil
    }
}

/// The type of a clip's stored values.
package enum ClipElement: UInt8, Sendable, Equatable {
    /// 0...255.
    case uint8 = 0
    /// Little-endian, finite.
    case float32 = 1

    package var size: Int { self == .uint8 ? 1 : 4 }

    package var name: String { self == .uint8 ? "uint8" : "float32" }
}
