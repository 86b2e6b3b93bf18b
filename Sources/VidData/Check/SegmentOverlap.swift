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
        let scale = segment.unit == .frames && rate > 0 ? 1 / rate : 1
        range = segment.start * scale..<segment.end * scale
    }

    /// What both contain, if it is more than half a frame.
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

extension DataReport {
    /// The most overlaps that are listed.
    private static let mostOverlaps = 10_000

    /// The overlaps of segments with different labels, by their files and starts.
    package var overlaps: [SegmentOverlap] {
        let files = SegmentedFiles(clips.map(\.entry)).files
        var members: [FileStatus.Identity: [(number: Int, stretch: FileStretch)]] = [:]
        var order: [FileStatus.Identity] = []
        for (number, file) in files.enumerated() {
            guard let file, let stretch = FileStretch(clips[number], file) else { continue }
            if members[file] == nil { order.append(file) }
            members[file, default: []].append((number, stretch))
        }
        var found: [SegmentOverlap] = []
        for file in order {
            var open: [(number: Int, stretch: FileStretch)] = []
            let sorted = (members[file] ?? []).sorted {
                ($0.stretch.range.lowerBound, $0.number) < ($1.stretch.range.lowerBound, $1.number)
            }
            for next in sorted {
                open.removeAll { $0.stretch.range.upperBound <= next.stretch.range.lowerBound }
                for one in open where clips[one.number].entry.split == clips[next.number].entry.split {
                    guard clips[one.number].entry.label != clips[next.number].entry.label,
                        let range = one.stretch.overlap(with: next.stretch)
                    else { continue }
                    found.append(SegmentOverlap(first: one.number, second: next.number, range: range))
                    if found.count == DataReport.mostOverlaps { return found }
                }
                open.append(next)
            }
        }
        return found
    }

    /// A remark on the overlaps; nil if there are none.
    var overlapRemark: String? {
        let overlaps = overlaps
        guard !overlaps.isEmpty else { return nil }
        func clip(_ number: Int) -> String {
            "\(clips[number].entry.id.printable) (\(data.classes[clips[number].entry.label].printable))"
        }
        let examples = overlaps.prefix(3).map { overlap in
            let unit = (clips[overlap.first].facts?.framesPerSecond ?? 0) > 0 ? " s" : ""
            let end = overlap.range.upperBound.isFinite ? "to \(ClipSegment.rounded(overlap.range.upperBound))\(unit)" : "to the end"
            return "\(clip(overlap.first)) and \(clip(overlap.second)) from \(ClipSegment.rounded(overlap.range.lowerBound)) \(end)"
        }
        let count = overlaps.count == 1 ? "1 pair of segments overlaps" : "\(overlaps.count) pairs of segments overlap"
        return "\(count) in time under different labels, for example " + examples.joined(separator: "; ")
            + ". A clip has one label, so these frames teach the model both; shorten the segments, or leave one of each pair out"
    }
}
