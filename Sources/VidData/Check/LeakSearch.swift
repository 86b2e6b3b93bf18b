import VidSystem

/// Two clips in different splits that share frames.
package struct Leak: Sendable, Equatable {
    /// The place in the data's entries of the clip in the earlier split (train, val, test).
    package let first: Int
    /// The place of the other clip.
    package let second: Int
    /// Whether all their frames are equal to the last bit.
    package let isIdentical: Bool
    /// The number of frames of one clip, of `frames` compared, that match the other clip.
    package let matched: Int
    package let frames: Int
    /// The mean difference of the matching frames, in levels of 255.
    package let difference: Double
}

/// Finds clips in different splits that share frames.
///
/// Frames are compared by `FramePrints`: two match if no cell differs by more than `cellLimit` levels. Two clips are a pair if at
/// least `leastShare` of the frames of one of them match a frame of the other; flat frames do not count.
///
/// The limits were chosen by the share of matching frames measured on nine real clips (a street, a tree, a talking head and Atari
/// games). Lowest and median of nine pairs of a clip and its copy:
///
///     largest difference of a cell        6            8            10           12
///     x264 at crf 35                  0.45  1.00   0.79  1.00   0.93  1.00   1.00  1.00
///     half the size                   1.00  1.00   1.00  1.00   1.00  1.00   1.00  1.00
///     MPEG-4 at q 12                  1.00  1.00   1.00  1.00   1.00  1.00   1.00  1.00
///     0.4 s cut out, crf 30           1.00  1.00   1.00  1.00   1.00  1.00   1.00  1.00
///
/// Clips of one fixed camera at different times, highest of 54 pairs (54 of one camera each, 9 of a game):
///
///     street with people              0.00         0.00         0.00         0.00
///     talking head                    0.00         0.00         0.03         0.03
///     Pong, other games of it         0.22         0.25         0.41         0.47
///
/// Clips in which nothing moves for a while (a tree; a game that repeats itself to the pixel) do look equal, and are pairs. A long
/// video is known by only `FramePrints.most` frames: a cut from it that is shorter than the time between two of them can be missed,
/// as can copies that are mirrored, cropped or in another aspect ratio.
///
/// Segments of one video always look alike. They are a pair only if they overlap in time, and one pair stands for the video.
package enum LeakSearch {
    /// The largest difference of a cell between two matching prints.
    package static let cellLimit = 10
    /// The smallest share of a clip's frames that must match.
    package static let leastShare = 0.5
    /// The largest number of different bits between the hashes of frames that are compared.
    private static let hashLimit = 12
    /// The largest number of frames under one key of the index that are compared; beyond it, equally many of each clip.
    private static let crowd = 16384

    /// The pairs among the good ones of `clips`: identical ones first, then by the share of matching frames.
    package static func leaks(_ clips: [CheckedClip]) -> [Leak] {
        let files = SegmentedFiles(paths: clips.lazy.map(\.entry.path)).files
        let items = mapInParallel(clips.count) { number -> Item? in
            guard case .success(let facts) = clips[number].result, facts.prints.count > 0 || facts.kind == ClipFacts.vectors else {
                return nil
            }
            let stretch = files[number].flatMap { FileStretch(clips[number], $0) }
            return Item(number: number, split: clips[number].entry.split, facts: facts, stretch: stretch)
        }.compactMap(\.self)
        guard Set(items.map(\.split)).count > 1 else { return [] }
        var leaks: [Leak] = []
        for (a, b) in candidates(items) {
            if let leak = compare(items[a], items[b]) { leaks.append(leak) }
        }
        var reported = Set<FileStatus.Identity>()
        return leaks.sorted { $0.precedes($1) }.filter { leak in
            guard let file = files[leak.first], file == files[leak.second] else { return true }
            return reported.insert(file).inserted
        }
    }

    /// A clip with prints, or one of vectors.
    private struct Item {
        let number: Int
        let split: Split
        let prints: FramePrints
        let digest: String
        /// The hash of each print; of vectors, the start of the digest.
        let hashes: [UInt64]
        /// Nil for a file without segments.
        let stretch: FileStretch?

        init(number: Int, split: Split, facts: ClipFacts, stretch: FileStretch?) {
            self.stretch = stretch
            self.number = number
            self.split = split
            prints = facts.prints
            digest = facts.digest
            // Vectors have no pictures: they are found by their content alone.
            hashes =
                facts.kind == ClipFacts.vectors
                ? [UInt64(facts.digest.prefix(16), radix: 16) ?? 0] : (0..<facts.prints.count).map { facts.prints.hash($0) }
        }
    }

    // MARK: - Candidates

    /// A frame of an item, for the index.
    private struct Frame {
        let hash: UInt64
        let item: UInt32
        let number: UInt32
        /// The place of the item's split.
        let split: UInt8
    }

    /// The pairs of items in different splits that have a pair of matching frames, each once, ascending.
    ///
    /// Frames are looked up by each quarter of their hash: two hashes that differ in up to three bits have one in common.
    private static func candidates(_ items: [Item]) -> [(Int, Int)] {
        // Sorted by split, item and frame; of equal hashes in an item, the first.
        var frames: [Frame] = []
        for (place, split) in Split.allCases.enumerated() {
            for index in items.indices where items[index].split == split {
                let hashes = items[index].hashes
                for (number, hash) in hashes.enumerated() where !hashes[..<number].contains(hash) {
                    frames.append(Frame(hash: hash, item: UInt32(index), number: UInt32(number), split: UInt8(place)))
                }
            }
        }
        let pairs = mapInParallel(4, block: 1) { candidates(items, frames, quarter: $0) }
        return Set(pairs.joined()).sorted().map { (Int($0 >> 32), Int($0 & 0xFFFF_FFFF)) }
    }

    /// The pairs among frames with equal 16 bits of their hashes.
    private static func candidates(_ items: [Item], _ frames: [Frame], quarter: Int) -> Set<UInt64> {
        func key(_ frame: Frame) -> Int { Int(frame.hash >> UInt64(16 * quarter) & 0xFFFF) }
        // Counting brings the frames of a key together, in their order.
        var ends = [Int](repeating: 0, count: 1 << 16)
        for frame in frames { ends[key(frame)] += 1 }
        var sum = 0
        for key in ends.indices {
            let count = ends[key]
            ends[key] = sum
            sum += count
        }
        var places = [UInt32](repeating: 0, count: frames.count)
        for (place, frame) in frames.enumerated() {
            let key = key(frame)
            places[ends[key]] = UInt32(place)
            ends[key] += 1
        }
        var pairs = Set<UInt64>()
        var start = 0
        for end in ends {
            if end - start > 1, frames[Int(places[start])].split != frames[Int(places[end - 1])].split {
                compare(thinned(places[start..<end].map { frames[Int($0)] }), items, &pairs)
            }
            start = end
        }
        return pairs
    }

    /// Reduces the frames to equally many of each clip, at least one, so that there are not too many in all.
    private static func thinned(_ frames: [Frame]) -> [Frame] {
        guard frames.count > crowd else { return frames }
        let most = max(1, crowd / Set(frames.lazy.map(\.item)).count)
        var (last, count): (UInt32?, Int) = (nil, 0)
        return frames.filter { frame in
            if frame.item != last { (last, count) = (frame.item, 0) }
            count += 1
            return count <= most
        }
    }

    /// Adds the pairs among the frames under one key, which are sorted by split.
    private static func compare(_ frames: [Frame], _ items: [Item], _ pairs: inout Set<UInt64>) {
        var start = 0
        while start < frames.count {
            var end = start
            while end < frames.count, frames[end].split == frames[start].split { end += 1 }
            for a in frames[start..<end] {
                for b in frames[end...] where (a.hash ^ b.hash).nonzeroBitCount <= hashLimit {
                    let (first, second) = (Int(a.item), Int(b.item))
                    if let own = items[first].stretch, let other = items[second].stretch, own.file == other.file,
                        own.overlap(with: other) == nil
                    {
                        continue
                    }
                    let pair = UInt64(min(a.item, b.item)) << 32 | UInt64(max(a.item, b.item))
                    guard !pairs.contains(pair) else { continue }
                    if areAlike(items[first], Int(a.number), items[second], Int(b.number)) { pairs.insert(pair) }
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

    /// The leak between two items; nil if they are not a pair.
    private static func compare(_ a: Item, _ b: Item) -> Leak? {
        let ordered = Split.allCases.firstIndex(of: a.split) ?? 0 <= Split.allCases.firstIndex(of: b.split) ?? 0
        let (first, second) = ordered ? (a.number, b.number) : (b.number, a.number)
        if a.digest == b.digest {
            return Leak(
                first: first, second: second, isIdentical: true, matched: a.prints.count, frames: a.prints.count, difference: 0)
        }
        guard a.prints.count > 0, b.prints.count > 0 else { return nil }
        let (ofA, ofB) = (matches(a, in: b), matches(b, in: a))
        // A cut from a clip matches with all its frames, the whole clip with few.
        let best = ofA.count * b.prints.count >= ofB.count * a.prints.count ? (ofA, a.prints.count) : (ofB, b.prints.count)
        guard Double(best.0.count) >= leastShare * Double(best.1) else { return nil }
        return Leak(
            first: first, second: second, isIdentical: false, matched: best.0.count, frames: best.1,
            difference: best.0.reduce(0, +) / Double(max(1, best.0.count)))
    }

    /// For each print of `a` that matches a print of `b`, its mean difference from the closest one.
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
    /// The share of matching frames.
    package var share: Double { Double(matched) / Double(max(1, frames)) }

    /// The order of reports: identical pairs first, then by the share of matching frames, then by their difference.
    fileprivate func precedes(_ other: Leak) -> Bool {
        if isIdentical != other.isIdentical { return isIdentical }
        if share != other.share { return share > other.share }
        if difference != other.difference { return difference < other.difference }
        return (first, second) < (other.first, other.second)
    }
}
