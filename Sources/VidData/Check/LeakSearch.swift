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
        let files = SegmentedFiles(count: clips.count) { clips[$0].entry.path }.files
        let index = FrameIndex(clips, files)
        var leaks: [Leak] = []
        for (a, b) in candidates(index) {
            if let leak = compare(index, a, b) { leaks.append(leak) }
        }
        var reported = Set<FileStatus.Identity>()
        return leaks.sorted { $0.precedes($1) }.filter { leak in
            guard let file = files[leak.first], file == files[leak.second] else { return true }
            return reported.insert(file).inserted
        }
    }

    /// The frames of the clips that can be compared. A frame is known by its place among them, a clip among these by its place, too.
    private struct FrameIndex {
        /// A clip with prints, or one of vectors, which has no pictures and is found by its content alone.
        struct Item {
            /// The place among all clips.
            let number: Int
            /// One for each print; one for vectors.
            let frames: Range<Int>
            /// Nil for a file without segments.
            let stretch: FileStretch?
        }

        let clips: [CheckedClip]
        /// By split: those of the training split come first.
        let items: [Item]
        /// For each frame its item.
        let owners: [UInt32]
        /// For each frame the hash of its print; for vectors the start of the digest.
        let hashes: [UInt64]
        /// For each split but the last the end of its frames.
        let ends: [Int]

        init(_ clips: [CheckedClip], _ files: [FileStatus.Identity?]) {
            var (items, owners, ends) = ([Item](), [UInt32](), [Int]())
            items.reserveCapacity(clips.count)
            for split in Split.allCases {
                for number in clips.indices where clips[number].entry.split == split {
                    let count = clips[number].comparedFrames
                    guard count > 0 else { continue }
                    let stretch = files[number].flatMap { FileStretch(clips[number], $0) }
                    items.append(Item(number: number, frames: owners.count..<owners.count + count, stretch: stretch))
                    for _ in 0..<count { owners.append(UInt32(items.count - 1)) }
                }
                ends.append(owners.count)
            }
            (self.clips, self.items, self.owners, self.ends) = (clips, items, owners, ends.dropLast())
            hashes = mapInParallel(owners.count) { frame in
                let item = items[Int(owners[frame])]
                guard case .success(let facts) = clips[item.number].result else { return 0 }
                return facts.prints.count > 0 ? facts.prints.hash(frame - item.frames.lowerBound) : facts.digestStart
            }
        }

        func owner(_ frame: Int) -> Item { items[Int(owners[frame])] }

        /// The end of the frames of the split in which a frame is.
        func end(ofSplitOf frame: Int) -> Int { ends.first { frame < $0 } ?? owners.count }

        /// Whether the prints of two frames match; of vectors, the starts of their digests.
        func areAlike(_ a: Int, _ b: Int) -> Bool {
            withPrint(a) { printOfA in withPrint(b) { FramePrints.areAlike(printOfA, $0, limit: cellLimit) } ?? false }
                ?? (hashes[a] == hashes[b])
        }

        /// The mean difference of the prints of two frames.
        func difference(_ a: Int, _ b: Int) -> Double {
            withPrint(a) { printOfA in withPrint(b) { FramePrints.difference(printOfA, $0) } ?? .infinity } ?? .infinity
        }

        /// Calls `body` with the cells of a frame's print; nil for vectors.
        private func withPrint<Value>(_ frame: Int, _ body: (UnsafePointer<UInt8>) -> Value) -> Value? {
            let item = owner(frame)
            guard case .success(let facts) = clips[item.number].result, facts.prints.count > 0 else { return nil }
            return facts.prints.cells.withUnsafeBufferPointer { cells in
                cells.baseAddress.map { body($0 + (frame - item.frames.lowerBound) * FramePrints.size) }
            }
        }
    }

    // MARK: - Candidates

    /// A frame under its key.
    private struct Frame {
        let hash: UInt64
        let place: UInt32
    }

    /// The pairs of items in different splits that have a pair of matching frames, each once, ascending.
    ///
    /// Frames are looked up by each quarter of their hash: two hashes that differ in up to three bits have one in common.
    private static func candidates(_ index: FrameIndex) -> [(Int, Int)] {
        guard index.ends.contains(where: { $0 > 0 && $0 < index.owners.count }) else { return [] }
        // Of equal hashes in an item, the first.
        let frames = index.owners.indices.filter { frame in
            !index.hashes[index.owner(frame).frames.lowerBound..<frame].contains(index.hashes[frame])
        }
        let pairs = mapInParallel(4, block: 1) { candidates(index, frames, quarter: $0) }
        return Set(pairs.joined()).sorted().map { (Int($0 >> 32), Int($0 & 0xFFFF_FFFF)) }
    }

    /// The pairs among frames with equal 16 bits of their hashes.
    private static func candidates(_ index: FrameIndex, _ frames: [Int], quarter: Int) -> Set<UInt64> {
        func key(_ frame: Int) -> Int { Int(index.hashes[frame] >> UInt64(16 * quarter) & 0xFFFF) }
        // Counting brings the frames of a key together, in their order.
        var ends = [Int](repeating: 0, count: 1 << 16)
        for frame in frames { ends[key(frame)] += 1 }
        var sum = 0
        for key in ends.indices {
            let count = ends[key]
            ends[key] = sum
            sum += count
        }
        let sorted = [Frame](unsafeUninitializedCapacity: frames.count) { sorted, initialized in
            for frame in frames {
                let key = key(frame)
                sorted.initializeElement(at: ends[key], to: Frame(hash: index.hashes[frame], place: UInt32(frame)))
                ends[key] += 1
            }
            initialized = frames.count
        }
        var pairs = Set<UInt64>()
        var start = 0
        for end in ends {
            if end - start > 1, index.end(ofSplitOf: Int(sorted[start].place)) <= Int(sorted[end - 1].place) {
                compare(thinned(sorted[start..<end], index), index, &pairs)
            }
            start = end
        }
        return pairs
    }

    /// Reduces the frames to equally many of each clip, at least one, so that there are not too many in all.
    private static func thinned(_ frames: ArraySlice<Frame>, _ index: FrameIndex) -> ArraySlice<Frame> {
        guard frames.count > crowd else { return frames }
        let most = max(1, crowd / Set(frames.lazy.map { index.owners[Int($0.place)] }).count)
        var (last, count): (UInt32?, Int) = (nil, 0)
        return frames.filter { frame in
            let item = index.owners[Int(frame.place)]
            if item != last { (last, count) = (item, 0) }
            count += 1
            return count <= most
        }[...]
    }

    /// Adds the pairs among the frames under one key, which are in their order.
    private static func compare(_ frames: ArraySlice<Frame>, _ index: FrameIndex, _ pairs: inout Set<UInt64>) {
        frames.withUnsafeBufferPointer { frames in
            var start = 0
            while start < frames.count {
                let limit = UInt32(index.end(ofSplitOf: Int(frames[start].place)))
                var end = start
                while end < frames.count, frames[end].place < limit { end += 1 }
                for a in frames[start..<end] {
                    for b in frames[end...] where (a.hash ^ b.hash).nonzeroBitCount <= hashLimit {
                        add(Int(a.place), Int(b.place), index, &pairs)
                    }
                }
                start = end
            }
        }
    }

    /// Adds the pair of the items of two frames, if the frames match.
    private static func add(_ a: Int, _ b: Int, _ index: FrameIndex, _ pairs: inout Set<UInt64>) {
        if let own = index.owner(a).stretch, let other = index.owner(b).stretch, own.file == other.file, own.overlap(with: other) == nil {
            return
        }
        let pair = UInt64(index.owners[a]) << 32 | UInt64(index.owners[b])
        guard !pairs.contains(pair) else { return }
        if index.areAlike(a, b) { pairs.insert(pair) }
    }

    // MARK: - Pairs

    /// The leak between two items, the first of them in the earlier split; nil if they are not a pair.
    private static func compare(_ index: FrameIndex, _ a: Int, _ b: Int) -> Leak? {
        let (a, b) = (index.items[a], index.items[b])
        guard case .success(let factsOfA) = index.clips[a.number].result, case .success(let factsOfB) = index.clips[b.number].result else {
            return nil
        }
        if factsOfA.digest == factsOfB.digest {
            return Leak(
                first: a.number, second: b.number, isIdentical: true, matched: factsOfA.prints.count, frames: factsOfA.prints.count,
                difference: 0)
        }
        let (countOfA, countOfB) = (factsOfA.prints.count, factsOfB.prints.count)
        guard countOfA > 0, countOfB > 0 else { return nil }
        let (ofA, ofB) = (matches(index, a, b), matches(index, b, a))
        // A cut from a clip matches with all its frames, the whole clip with few.
        let best = ofA.count * countOfB >= ofB.count * countOfA ? (ofA, countOfA) : (ofB, countOfB)
        guard Double(best.0.count) >= leastShare * Double(best.1) else { return nil }
        return Leak(
            first: a.number, second: b.number, isIdentical: false, matched: best.0.count, frames: best.1,
            difference: best.0.reduce(0, +) / Double(max(1, best.0.count)))
    }

    /// For each print of `a` that matches a print of `b`, its mean difference from the closest one.
    private static func matches(_ index: FrameIndex, _ a: FrameIndex.Item, _ b: FrameIndex.Item) -> [Double] {
        a.frames.compactMap { frameOfA in
            var best: Double?
            for frameOfB in b.frames where (index.hashes[frameOfA] ^ index.hashes[frameOfB]).nonzeroBitCount <= hashLimit {
                guard index.areAlike(frameOfA, frameOfB) else { continue }
                best = min(best ?? .infinity, index.difference(frameOfA, frameOfB))
            }
            return best
        }
    }
}

extension CheckedClip {
    /// The number of frames that `LeakSearch` compares; 0 for clips that it leaves out.
    fileprivate var comparedFrames: Int {
        guard case .success(let facts) = result else { return 0 }
        return facts.prints.count > 0 ? facts.prints.count : facts.kind == ClipFacts.vectors ? 1 : 0
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
