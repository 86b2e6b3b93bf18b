import VidSystem

/// Where a clip lies in a file of which clips are segments.
struct FileStretch {
    let file: FileStatus.Identity
    /// In seconds, or in frames if the rate is unknown; infinite at the end of a whole file.
    let range: Range<Double>
    private let rate: Double

    /// Nil without a file, and for a segment that is empty.
    init?(_ clip: CheckedClip, _ file: FileStatus.Identity?) {
        guard let file else { return nil }
        self.file = file
        rate = clip.facts?.framesPerSecond ?? 0
        let segment = ClipPath(clip.entry.path).segment ?? ClipSegment(start: 0, end: .infinity)
        guard segment.start < segment.end else { return nil }
        let unit = segment.unit == .frames && rate > 0 ? rate : 1
        range = segment.start / unit..<segment.end / unit
    }

    /// The stretch that both contain, if it is longer than half a frame.
    func overlap(with other: FileStretch) -> Range<Double>? {
        let (low, high) = (max(range.lowerBound, other.range.lowerBound), min(range.upperBound, other.range.upperBound))
        return high - low > (rate > 0 ? 0.5 / rate : 1e-6) ? low..<high : nil
    }
}

/// Two clips of one split that show the same part of a video under different labels.
package struct SegmentOverlap: Sendable, Equatable {
    /// The places in the data's entries.
    package let first: Int
    package let second: Int
    /// In seconds, or in frames if the rate is unknown.
    package let range: Range<Double>
}
