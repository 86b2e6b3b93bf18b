internal import VidData

/// The extents of a clip: frames of pixels, or vectors over time.
public struct InputShape: Hashable, Sendable, CustomStringConvertible {
    public let frames: Int
    /// 3 for RGB, 1 for grey frames and for vectors.
    public let channels: Int
    /// 1 for vectors.
    public let rows: Int
    /// For vectors, their numbers.
    public let columns: Int
    /// Whether the frames are vectors over time.
    public let isVectors: Bool

    /// Frames of pixels.
    public init(frames: Int, channels: Int = 3, rows: Int, columns: Int) {
        self.init(frames, channels, rows, columns, isVectors: false)
    }

    /// Vectors of so many numbers over time.
    public init(frames: Int, features: Int) { self.init(frames, 1, 1, features, isVectors: true) }

    init(_ frames: Int, _ channels: Int, _ rows: Int, _ columns: Int, isVectors: Bool) {
        (self.frames, self.channels, self.rows, self.columns, self.isVectors) = (frames, channels, rows, columns, isVectors)
    }

    /// `(frames, channels, rows, columns)`, or `(frames, features)` for vectors.
    public var description: String { isVectors ? "(\(frames), \(columns))" : "(\(frames), \(channels), \(rows), \(columns))" }

    var clip: ClipShape { ClipShape(frames: frames, channels: channels, rows: rows, columns: columns) }
}
