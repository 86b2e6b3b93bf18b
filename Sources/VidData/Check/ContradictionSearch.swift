import VidSystem

/// Two clips of one split that are the same file, or hold the same frames, under different labels.
package struct Contradiction: Sendable, Equatable {
    /// The places in the data's entries, ascending.
    package let first: Int
    package let second: Int
    /// Whether both are the same file, or the same part of it; otherwise their frames are equal.
    package let isSameFile: Bool

    package init(first: Int, second: Int, isSameFile: Bool) {
        (self.first, self.second, self.isSameFile) = (first, second, isSameFile)
    }
}

/// Finds clips with two labels. Unlike leaks, they teach a model the opposite of what they teach it elsewhere.
package enum ContradictionSearch {
    /// The contradictions among `clips`, ascending: of the clips that are the same, the first with each that has another label.
    ///
    /// - Parameter namesSplits: whether the data names its splits. Then clips of different splits are leaks; otherwise the splits are
    ///   made at random, and all clips are compared.
    package static func contradictions(_ clips: [CheckedClip], namesSplits: Bool) -> [Contradiction] {
        guard let first = clips.first, clips.contains(where: { $0.entry.label != first.entry.label }) else { return [] }
        // One file has one content: besides those of bad clips, only the files of clips with equal content can be the same.
        let alike = repeated(mapInParallel(clips.count) { clips[$0].digestStart }).flatMap { members in
            repeated(members.lazy.map { clips[$0].digest }).map { $0.map { members[$0] } }
        }
        let candidates = clips.indices.filter { clips[$0].digest == nil } + alike.joined()
        let identities = Dictionary(
            uniqueKeysWithValues: candidates.map { ($0, ClipIdentity(clips[$0].entry.path, clips[$0].entry.status)) })
        var found: [Contradiction] = []
        var seen = Set<[Int]>()

        func compare(_ members: [Int], isSameFile: Bool) {
            for (place, number) in members.enumerated() {
                let other = members[..<place].first { other in
                    let (a, b) = (clips[other].entry, clips[number].entry)
                    guard a.label != b.label, !namesSplits || a.split == b.split else { return false }
                    // Parts of one file are clips of their own, even where nothing moves in it.
                    return isSameFile || identities[other]??.file != identities[number]??.file || identities[number] ?? nil == nil
                }
                guard let other, seen.insert([other, number]).inserted else { continue }
                found.append(Contradiction(first: other, second: number, isSameFile: isSameFile))
            }
        }

        let places = candidates.sorted()
        for members in repeated(places.lazy.map { identities[$0] ?? nil }) { compare(members.map { places[$0] }, isSameFile: true) }
        for members in alike { compare(members, isSameFile: false) }
        return found.sorted { ($0.second, $0.first) < ($1.second, $1.first) }
    }

    /// The places of keys that occur more than once, for each key ascending. Most keys occur once: for them, only a place is in memory.
    private static func repeated<Key: Hashable>(_ keys: some Sequence<Key?>) -> [[Int]] {
        var firsts: [Key: Int] = [:]
        firsts.reserveCapacity(keys.underestimatedCount)
        var members: [Key: [Int]] = [:]
        for (place, key) in keys.enumerated() {
            guard let key else { continue }
            guard let first = firsts.updateValue(place, forKey: key) else { continue }
            firsts[key] = first
            members[key, default: [first]].append(place)
        }
        return Array(members.values)
    }
}
