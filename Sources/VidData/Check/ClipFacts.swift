import VidSystem
import VidTensor

/// What reading a clip through says of it: its extents, what its frames look like, and what they are to the last bit.
package struct ClipFacts: Sendable, Equatable {
    /// `bin`, `npy`, `video`, `sound`.
    package var kind: String
    /// A video's codec, or the type of the values.
    package var coding: String
    package var frames: Int
    package var channels: Int
    package var rows: Int
    package var columns: Int
    /// 0 = unknown.
    package var framesPerSecond: Double
    /// Another one for other frames: SHA-256, in hexadecimal, of the values or, for a video, of every decoded frame made small.
    package var digest: String
    /// Of frames spread over the clip; flat ones are left out.
    package var prints: FramePrints

    package init(
        kind: String, coding: String, frames: Int, channels: Int, rows: Int, columns: Int, framesPerSecond: Double, digest: String,
        prints: FramePrints
    ) {
        self.kind = kind
        self.coding = coding
        self.frames = frames
        self.channels = channels
        self.rows = rows
        self.columns = columns
        self.framesPerSecond = framesPerSecond
        self.digest = digest
        self.prints = prints
    }

    /// Seconds; nil where the rate is unknown.
    package var duration: Double? { framesPerSecond > 0 ? Double(frames) / framesPerSecond : nil }
}

// MARK: - As bytes

extension ClipFacts {
    /// Raised when the same file comes to have other facts.
    private static let version = 1
    /// The most frames, channels, rows or columns that are believed.
    private static let largestExtent = Int(UInt32.max)

    /// A line of text, then the prints: what a `ClipMemo` keeps.
    package var encoded: [UInt8] {
        let words = [
            "\(ClipFacts.version)", kind, coding.isEmpty ? "-" : coding, "\(frames)", "\(channels)", "\(rows)", "\(columns)",
            "\(framesPerSecond.bitPattern)", digest, "\(prints.count)",
        ]
        return Array((words.map { $0.split(separator: " ").joined(separator: "_") }.joined(separator: " ") + "\n").utf8) + prints.cells
    }

    /// Nil for bytes that are not `encoded` by this version.
    package init?(encoded: [UInt8]) {
        guard let end = encoded.firstIndex(of: UInt8(ascii: "\n")),
            let line = String(validating: encoded[..<end], as: UTF8.self)
        else { return nil }
        let words = line.split(separator: " ").map(String.init)
        guard words.count == 10, words[0] == "\(ClipFacts.version)", let frames = Int(words[3]), let channels = Int(words[4]),
            let rows = Int(words[5]), let columns = Int(words[6]), let rate = UInt64(words[7]), let count = Int(words[9]),
            [frames, channels, rows, columns].allSatisfy({ (1...ClipFacts.largestExtent).contains($0) }),
            case let framesPerSecond = Double(bitPattern: rate), framesPerSecond >= 0, framesPerSecond.isFinite,
            (0...FramePrints.most).contains(count),
            let prints = FramePrints(cells: Array(encoded[(end + 1)...]), count: count)
        else { return nil }
        self.init(
            kind: words[1], coding: words[2], frames: frames, channels: channels, rows: rows, columns: columns,
            framesPerSecond: framesPerSecond, digest: words[8], prints: prints)
    }
}

/// Where the facts of files outlive a run, so that unchanged files are not read again. Any thread may call it at any time;
/// nothing here throws, because a check goes on without.
package protocol ClipCache: Sendable {
    /// The facts of the file at `path`; nil where it has changed since or was never seen. `variant` is what else they depend on.
    func facts(of path: String, variant: String) -> ClipFacts?

    /// Remembers what was read from `path`; not where the file may have changed meanwhile.
    func remember(_ facts: ClipFacts, of path: String, variant: String)
}
