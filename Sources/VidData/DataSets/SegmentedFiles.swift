import VidSystem

/// The files of which clips are segments, however their paths are spelt.
struct SegmentedFiles {
    /// For each entry its file, if some entry is a segment of it.
    let files: [FileStatus.Identity?]

    init(_ entries: [DataSet.Entry]) { self.init(count: entries.count) { entries[$0].path } }

    /// - Parameter path: of the entry at a place below `count`.
    init(count: Int, path: (Int) -> String) {
        // Only where there are segments, the files of whole clips matter.
        let addresses = (0..<count).contains { ClipPath.mayHaveSegment(path($0)) } ? (0..<count).map { ClipPath(path($0)) } : []
        guard addresses.contains(where: { $0.segment != nil }) else {
            files = [FileStatus.Identity?](repeating: nil, count: count)
            return
        }
        var known: [String: FileStatus.Identity?] = [:]
        let all = addresses.map { address -> FileStatus.Identity? in
            if let identity = known[address.file] { return identity }
            let identity = try? SystemCall.status(address.file).identity
            known[address.file] = .some(identity)
            return identity
        }
        let divided = Set(zip(addresses, all).compactMap { $0.segment == nil ? nil : $1 })
        files = all.map { $0.flatMap { divided.contains($0) ? $0 : nil } }
    }

    /// A note about videos with segments in more than one of the splits that the data names; empty if there are none.
    static func dividedNotes(_ entries: [DataSet.Entry]) -> [String] {
        var (splits, firsts): ([FileStatus.Identity: Set<Split>], [FileStatus.Identity: Int]) = ([:], [:])
        for (place, file) in SegmentedFiles(entries).files.enumerated() {
            guard let file else { continue }
            splits[file, default: []].insert(entries[place].split)
            if firsts[file] == nil { firsts[file] = place }
        }
        let divided = splits.filter { $0.value.count > 1 }
        guard let first = divided.keys.compactMap({ firsts[$0] }).min() else { return [] }
        let count = divided.count == 1 ? "1 video has" : "\(divided.count) videos have"
        return [
            "\(count) segments in more than one split, for example \(ClipPath.file(entries[first].id).printable). Moments of one video look "
                + "alike, so results may be too optimistic; keep all segments of a video in one split"
        ]
    }
}
