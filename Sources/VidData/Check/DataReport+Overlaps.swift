import VidSystem

extension DataReport {
    /// The most overlaps that are listed.
    private static let mostOverlaps = 10_000

    /// The overlaps of segments with different labels, by their files and starts.
    package var overlaps: [SegmentOverlap] {
        let files = SegmentedFiles(count: clips.count) { clips[$0].entry.path }.files
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
        let count =
            (overlaps.count == DataReport.mostOverlaps ? "at least " : "")
            + (overlaps.count == 1 ? "1 pair of segments overlaps" : "\(overlaps.count) pairs of segments overlap")
        return "\(count) in time under different labels, for example " + examples.joined(separator: "; ")
            + ". A clip has one label, so these frames teach the model both; shorten the segments, or leave one of each pair out"
    }
}
