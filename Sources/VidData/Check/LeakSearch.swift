import VidTensor

/// Two clips of different parts that show the same.
package struct Leak: Sendable, Equatable {
    /// Places in the data's entries, `first` in the earlier part (train, val, test).
    package let first: Int
    package let second: Int
    /// Whether all their frames are the same to the last bit.
    package let isIdentical: Bool
    /// Frames of the shorter of the two that the other has, too, of `frames` compared.
    package let matched: Int
    package let frames: Int
    /// Mean difference of the frames that match, in levels of 255.
    package let difference: Double
}

/// Finds clips of different parts that share frames.
///
/// Frames are compared by `FramePrints`: two match where no cell differs by more than `cellLimit` levels. Two clips are a pair
/// where at least `leastShare` of the frames of one of them match a frame of the other; flat frames do not count.
///
/// The limits were chosen by the share of matching frames measured on real clips (nine: a street, a tree, a talking head and
/// Atari games), lowest and median of nine pairs of a clip and its copy:
///
///     largest difference of a cell        6            8            10           12
///     x264 at crf 35                  0.45  1.00   0.79  1.00   0.93  1.00   1.00  1.00
///     half the size                   1.00  1.00   1.00  1.00   1.00  1.00   1.00  1.00
///     MPEG-4 at q 12                  1.00  1.00   1.00  1.00   1.00  1.00   1.00  1.00
///     0.4 s cut out, crf 30           1.00  1.00   1.00  1.00   1.00  1.00   1.00  1.00
///
/// and between clips of one fixed camera at other times, highest of 54 pairs (54 of one camera each, 9 of a game):
///
///     street with people              0.00         0.00         0.00         0.00
///     talking head                    0.00         0.00         0.03         0.03
///     Pong, other games of it         0.22         0.25         0.41         0.47
///
/// Where nothing moves for a while (a tree; a game that repeats itself to the pixel) the clips do show the same, and are pairs.
/// Of a long video only `FramePrints.most` frames are known: a cut from it that is shorter than the time between two of them can
/// be missed, as can copies that are mirrored, cropped or in another shape.
package enum LeakSearch {
    /// The most that a cell of two matching prints may differ by.
    package static let cellLimit = 10
    /// The share of a clip's frames that must match.
    package static let leastShare = 0.5
    /// The bits that the hashes of frames worth comparing may differ in.
    private static let hashLimit = 12
    /// Frames under one key of the index that are compared with each other; where there are more, as many of each clip.
    private static let crowd = 16384

    /// The pairs among `clips`, bad ones passed over: the identical first, then by the share of frames that match.
    package static func leaks(_ clips: [DataReport.Clip]) -> [Leak] {
        let items = clips.enumerated().compactMap { number, clip in
            clip.facts.flatMap { $0.prints.count > 0 ? Item(number: number, part: clip.entry.part, facts: $0) : nil }
        }
        guard Set(items.map(\.part)).count > 1 else { return [] }
        var leaks: [Leak] = []
        for (a, b) in candidates(items) {
            if let leak = compare(items[a], items[b]) { leaks.append(leak) }
        }
        return leaks.sorted { $0.precedes($1) }
    }

    /// A clip with prints.
    private struct Item {
        let number: Int
        let part: Split
        let prints: FramePrints
        let digest: String
        /// Of each print.
        let hashes: [UInt64]

        init(number: Int, part: Split, facts: ClipFacts) {
            self.number = number
            self.part = part
            prints = facts.prints
            digest = facts.digest
            hashes = (0..<facts.prints.count).map { facts.prints.hash($0) }
        }
    }

    // MARK: - Candidates

    /// Pairs of items of different parts with a pair of frames that match, each once, rising.
    ///
    /// Frames are looked up by each quarter of their hash: two hashes that differ in up to three bits share one.
    private static func candidates(_ items: [Item]) -> [(Int, Int)] {
        var pairs = Set<UInt64>()
        let ranks = Dictionary(uniqueKeysWithValues: Split.allCases.enumerated().map { ($1, $0) })
        for quarter in 0..<4 {
            // A key's frames stand together: its 16 bits, then part, clip and frame.
            var keys: [UInt64] = []
            for (index, item) in items.enumerated() {
                var seen = Set<UInt64>()
                for (frame, hash) in item.hashes.enumerated() where seen.insert(hash).inserted {
                    let key = hash >> UInt64(16 * quarter) & 0xFFFF
                    keys.append(key << 48 | UInt64(ranks[item.part] ?? 0) << 44 | UInt64(index) << 8 | UInt64(frame))
                }
            }
            keys.sort()
            var start = 0
            while start < keys.count {
                var end = start
                while end < keys.count, keys[end] >> 48 == keys[start] >> 48 { end += 1 }
                if end - start > 1 { compare(thinned(keys[start..<end]), items, &pairs) }
                start = end
            }
        }
        return pairs.sorted().map { (Int($0 >> 32), Int($0 & 0xFFFF_FFFF)) }
    }

    /// As many frames of each clip that there are not too many in all, one at least.
    private static func thinned(_ keys: ArraySlice<UInt64>) -> ArraySlice<UInt64> {
        guard keys.count > crowd else { return keys }
        let clips = Set(keys.map { $0 >> 8 }).count
        let most = max(1, crowd / clips)
        var kept: [UInt64] = []
        var (last, taken): (UInt64?, Int) = (nil, 0)
        for key in keys {
            if key >> 8 != last { (last, taken) = (key >> 8, 0) }
            if taken < most { kept.append(key) }
            taken += 1
        }
        return kept[...]
    }

    /// Adds the pairs among the frames under one key, sorted by part.
    private static func compare(_ keys: ArraySlice<UInt64>, _ items: [Item], _ pairs: inout Set<UInt64>) {
        let frames = keys.map { key in
            let item = Int(key >> 8 & 0xF_FFFF_FFFF)
            return (part: key >> 44 & 15, item: item, frame: Int(key & 0xFF), hash: items[item].hashes[Int(key & 0xFF)])
        }
        var start = 0
        while start < frames.count {
            var end = start
            while end < frames.count, frames[end].part == frames[start].part { end += 1 }
            for a in frames[start..<end] {
                for b in frames[end...] where (a.hash ^ b.hash).nonzeroBitCount <= hashLimit {
                    let pair = UInt64(min(a.item, b.item)) << 32 | UInt64(max(a.item, b.item))
                    guard !pairs.contains(pair) else { continue }
                    if areAlike(items[a.item], a.frame, items[b.item], b.frame) { pairs.insert(pair) }
                }
            }
            start = end
        }
    }

    private static func areAlike(_ a: Item, _ frameOfA: Int, _ b: Item, _ frameOfB: Int) -> Bool {
        a.prints.cells.withUnsafeBufferPointer { cellsOfA in
            b.prints.cells.withUnsafeBufferPointer { cellsOfB in
                guard let baseOfA = cellsOfA.baseAddress, let baseOfB = cellsOfB.baseAddress else { return false }
                return FramePrints.areAlike(
                    baseOfA + frameOfA * FramePrints.size, baseOfB + frameOfB * FramePrints.size, limit: cellLimit)
            }
        }
    }

    // MARK: - Pairs

    /// Whether two items are a pair.
    private static func compare(_ a: Item, _ b: Item) -> Leak? {
        let ordered = Split.allCases.firstIndex(of: a.part) ?? 0 <= Split.allCases.firstIndex(of: b.part) ?? 0
        let (first, second) = ordered ? (a.number, b.number) : (b.number, a.number)
        if a.digest == b.digest {
            return Leak(
                first: first, second: second, isIdentical: true, matched: a.prints.count, frames: a.prints.count, difference: 0)
        }
        let (ofA, ofB) = (matches(a, in: b), matches(b, in: a))
        // A part of a clip matches with all of its frames, the whole with few.
        let best = ofA.count * b.prints.count >= ofB.count * a.prints.count ? (ofA, a.prints.count) : (ofB, b.prints.count)
        guard Double(best.0.count) >= leastShare * Double(best.1) else { return nil }
        return Leak(
            first: first, second: second, isIdentical: false, matched: best.0.count, frames: best.1,
            difference: best.0.reduce(0, +) / Double(max(1, best.0.count)))
    }

    /// The mean difference of each print of `a` that matches one of `b` from the nearest such.
    private static func matches(_ a: Item, in b: Item) -> [Double] {
        a.prints.cells.withUnsafeBufferPointer { cellsOfA in
            b.prints.cells.withUnsafeBufferPointer { cellsOfB in
                guard let baseOfA = cellsOfA.baseAddress, let baseOfB = cellsOfB.baseAddress else { return [] }
                return a.hashes.indices.compactMap { i in
                    var best: Double?
                    for j in b.hashes.indices where (a.hashes[i] ^ b.hashes[j]).nonzeroBitCount <= hashLimit {
                        let (printOfA, printOfB) = (baseOfA + i * FramePrints.size, baseOfB + j * FramePrints.size)
                        guard FramePrints.areAlike(printOfA, printOfB, limit: cellLimit) else { continue }
                        best = min(best ?? .infinity, FramePrints.difference(printOfA, printOfB))
                    }
                    return best
                }
            }
        }
    }
}

extension Leak {
    /// The share of the frames that match.
    package var share: Double { Double(matched) / Double(max(1, frames)) }

    /// Identical ones first, then those that share the most, then the most alike.
    fileprivate func precedes(_ other: Leak) -> Bool {
        if isIdentical != other.isIdentical { return isIdentical }
        if share != other.share { return share > other.share }
        if difference != other.difference { return difference < other.difference }
        return (first, second) < (other.first, other.second)
    }
}
