import VidSystem

/// The totals of a `DataReport`, counted in one pass over its clips. A clip is known by its place among them.
package struct DataTally: Sendable {
    /// The minimum, median and maximum of some numbers.
    package struct Spread: Sendable, Equatable {
        package let minimum: Double
        package let median: Double
        package let maximum: Double

        /// Nil if `values` is empty.
        package init?(_ values: [Double]) {
            let sorted = values.sorted()
            guard let first = sorted.first, let last = sorted.last else { return nil }
            minimum = first
            median = sorted.count % 2 == 1 ? sorted[sorted.count / 2] : (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
            maximum = last
        }
    }

    /// A size of frames with its number of clips.
    package struct Size: Sendable, Equatable {
        package let rows: Int
        package let columns: Int
        package let channels: Int
        package let clips: Int

        package init(rows: Int, columns: Int, channels: Int, clips: Int) {
            self.rows = rows
            self.columns = columns
            self.channels = channels
            self.clips = clips
        }
    }

    private(set) var bad: [Int] = []
    private(set) var unreadable = 0
    private(set) var damaged: [Int] = []
    /// Good clips with a single frame.
    private(set) var stills = 0
    /// Videos with several streams.
    private(set) var severalStreams: [Int] = []
    /// Folders of pictures.
    private(set) var pictures: [Int] = []
    /// Clips whose values are not in the range of bytes.
    private(set) var outOfRange: [Int] = []
    /// The splits that have clips.
    private(set) var splits: Set<Split> = []
    private(set) var frames: Spread?
    private(set) var rates: Spread?
    private(set) var durations: Spread?
    /// The distinct sizes, most frequent first.
    private(set) var sizes: [Size] = []
    /// The kinds of files with their numbers of good clips, most frequent first.
    private(set) var kinds: [(name: String, clips: Int)] = []

    private struct Extents: Hashable { let rows, columns, channels: Int }
    private struct Kind: Hashable { let kind, coding: String }

    init(_ clips: [CheckedClip]) {
        var (frames, rates, durations) = ([Double](), [Double](), [Double]())
        var (sizes, kinds) = (ValueCounts<Extents>(), ValueCounts<Kind>())
        frames.reserveCapacity(clips.count)
        for place in clips.indices {
            splits.insert(clips[place].entry.split)
            if !clips[place].isReadable { unreadable += 1 }
            guard case .success(let facts) = clips[place].result else {
                bad.append(place)
                continue
            }
            if facts.damage != nil { damaged.append(place) }
            if facts.frames == 1 { stills += 1 }
            if facts.videoStreams > 1 { severalStreams.append(place) }
            if facts.kind == "pictures" { pictures.append(place) }
            if facts.range?.fault != nil { outOfRange.append(place) }
            frames.append(Double(facts.frames))
            if facts.framesPerSecond > 0 { rates.append(facts.framesPerSecond) }
            if let duration = facts.duration { durations.append(duration) }
            sizes.add(Extents(rows: facts.rows, columns: facts.columns, channels: facts.channels))
            kinds.add(Kind(kind: facts.kind, coding: facts.coding))
        }
        (self.frames, self.rates, self.durations) = (Spread(frames), Spread(rates), Spread(durations))
        self.sizes = sizes.counts.map {
            Size(rows: $0.key.rows, columns: $0.key.columns, channels: $0.key.channels, clips: $0.value)
        }.sorted { (-$0.clips, $0.rows, $0.columns, $0.channels) < (-$1.clips, $1.rows, $1.columns, $1.channels) }
        var names: [String: Int] = [:]
        for (kind, count) in kinds.counts { names[DataTally.name(kind), default: 0] += count }
        self.kinds = names.map { (name: $0.key, clips: $0.value) }.sorted { (-$0.clips, $0.name) < (-$1.clips, $1.name) }
    }

    private static func name(_ kind: Kind) -> String {
        switch kind.kind {
        case "video": "\(kind.coding) video"
        case "pictures": "\(kind.coding) pictures"
        default: kind.kind
        }
    }
}
