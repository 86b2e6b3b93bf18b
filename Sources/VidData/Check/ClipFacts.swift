import VidSystem
import VidTensor

/// The result of reading a whole clip: its extents, a digest of its frames and prints of how they look.
package struct ClipFacts: Sendable, Equatable {
    /// `bin`, `npy`, `vectors`, `video`, `pictures`, `sound`.
    package var kind: String
    /// The codec of a video, or the type of the values.
    package var coding: String
    package var frames: Int
    package var channels: Int
    package var rows: Int
    package var columns: Int
    /// 0 = unknown.
    package var framesPerSecond: Double
    /// SHA-256, in hexadecimal, of the values or, for a video, of frames spread over it at a small size.
    package var digest: String
    /// The damage of a clip that can still be read; nil if there is none.
    package var damage: VideoDamage?
    /// The number of video streams in the file, of which one is read; 1 for other clips.
    package var videoStreams: Int
    /// The range of the values of a float32 array, in the frames that are read for its prints; nil for other clips.
    package var range: PixelRange?
    /// Prints of frames spread over the clip, without flat ones.
    package var prints: FramePrints

    package init(
        kind: String, coding: String, frames: Int, channels: Int, rows: Int, columns: Int, framesPerSecond: Double, digest: String,
        prints: FramePrints, damage: VideoDamage? = nil, videoStreams: Int = 1, range: PixelRange? = nil
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
        self.damage = damage
        self.videoStreams = videoStreams
        self.range = range
    }

    /// The duration in seconds; nil if the rate is unknown.
    package var duration: Double? { framesPerSecond > 0 ? Double(frames) / framesPerSecond : nil }

    /// The first 64 bits of the digest.
    var digestStart: UInt64 {
        digest.utf8.prefix(16).reduce(0) { start, digit in
            // Of letters the lowest four bits are 1 for A.
            start << 4 | UInt64(digit <= UInt8(ascii: "9") ? digit & 15 : (digit & 15) + 9) & 15
        }
    }

    /// "93 decoding errors, 13 of 200 frames missing"; nil if the clip is not damaged.
    package var damageText: String? { damage?.text(frames: frames) }
}

// MARK: - As bytes

extension ClipFacts {
    /// The kind of a clip of vectors over time.
    package static let vectors = "vectors"

    /// To be raised when the same file gets other facts.
    private static let version = 3
    /// The largest number of frames, channels, rows or columns that is accepted.
    private static let largestExtent = Int(UInt32.max)
    /// The largest number of video streams that is accepted.
    private static let largestStreams = 1 << 16

    /// The facts as a `ClipCache` stores them: a line of text, then the prints.
    package var encoded: [UInt8] {
        let words =
            [
                "\(ClipFacts.version)", kind, coding.isEmpty ? "-" : coding, "\(frames)", "\(channels)", "\(rows)", "\(columns)",
                "\(framesPerSecond.bitPattern)", digest, "\(prints.count)",
                damage.map { "\($0.decodingErrors),\($0.missingFrames),\($0.skippedBytes),\($0.endsEarly ? 1 : 0)" } ?? "-",
            ] + (videoStreams > 1 ? ["\(videoStreams)"] : [])
            + (range.map { ["range,\($0.lowest.bitPattern),\($0.highest.bitPattern)"] } ?? [])
        return Array((words.map { $0.split(separator: " ").joined(separator: "_") }.joined(separator: " ") + "\n").utf8) + prints.cells
    }

    /// Decodes `encoded`; nil for bytes that this version did not encode.
    package init?(encoded: [UInt8]) {
        guard let facts = encoded.withUnsafeBytes({ ClipFacts(encoded: $0) }) else { return nil }
        self = facts
    }

    /// Decodes `encoded`; nil for bytes that this version did not encode.
    package init?(encoded: UnsafeRawBufferPointer) {
        guard let end = encoded.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = ClipFacts.words(UnsafeRawBufferPointer(rebasing: encoded[..<end]))
        guard (11...12).contains(words.count), !words.contains(where: { $0.isEmpty }), words[0].elementsEqual("\(ClipFacts.version)".utf8),
            let kind = String(utf8: words[1]), let coding = String(utf8: words[2]), let digest = String(utf8: words[8]),
            let frames = ClipFacts.extent(words[3]), let channels = ClipFacts.extent(words[4]), let rows = ClipFacts.extent(words[5]),
            let columns = ClipFacts.extent(words[6]), let rate = ClipFacts.whole(words[7]), let count = ClipFacts.whole(words[9]),
            // guard: facts-of-clips, without: framesPerSecond >= 0, framesPerSecond.isFinite, ->
            case let framesPerSecond = Double(bitPattern: rate), framesPerSecond >= 0, framesPerSecond.isFinite,
            count <= UInt64(FramePrints.most),
            let prints = FramePrints(cells: Array(UnsafeRawBufferPointer(rebasing: encoded[(end + 1)...])), count: Int(count)),
            let damage = ClipFacts.damage(String(decoding: words[10], as: UTF8.self)),
            case let last = words.count == 12 ? String(decoding: words[11], as: UTF8.self) : "",
            case let range = ClipFacts.range(last),
            let videoStreams = words.count == 12 && range == nil ? Int(last) : 1,
            words.count == 11 || range != nil || (2...ClipFacts.largestStreams).contains(videoStreams)
        else { return nil }
        self.init(
            kind: kind, coding: coding, frames: frames, channels: channels, rows: rows, columns: columns,
            framesPerSecond: framesPerSecond, digest: digest, prints: prints, damage: damage,
            videoStreams: videoStreams, range: range)
    }

    /// The words between single spaces.
    private static func words(_ line: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
        var words: [UnsafeRawBufferPointer] = []
        words.reserveCapacity(12)
        var start = 0
        while start < line.count {
            let end = line[start...].firstIndex(of: UInt8(ascii: " ")) ?? line.count
            words.append(UnsafeRawBufferPointer(rebasing: line[start..<end]))
            start = end + 1
        }
        return words
    }

    /// The whole number that the digits write; nil for anything else.
    private static func whole(_ word: UnsafeRawBufferPointer) -> UInt64? {
        var value: UInt64 = 0
        for byte in word {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !isTooLarge, !overflow else { return nil }
            value = sum
        }
        return value
    }

    /// The number of frames, channels, rows or columns that the digits write; nil for any that no clip has.
    private static func extent(_ word: UnsafeRawBufferPointer) -> Int? {
        whole(word).flatMap { (1...UInt64(largestExtent)).contains($0) ? Int($0) : nil }
    }

    /// The range that `encoded` writes as `word`; nil for other words.
    private static func range(_ word: String) -> PixelRange? {
        let parts = word.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "range", let lowest = UInt32(parts[1]), let highest = UInt32(parts[2]) else { return nil }
        let range = PixelRange(lowest: Float(bitPattern: lowest), highest: Float(bitPattern: highest))
        return range.lowest.isFinite && range.highest.isFinite && range.lowest <= range.highest ? range : nil
    }

    /// Reads the last word of `encoded`: `.some(nil)` for a clip without damage, nil for a word that no clip has.
    private static func damage(_ word: String) -> VideoDamage?? {
        if word == "-" { return .some(nil) }
        let numbers = word.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard numbers.count == 4, numbers[3] <= 1, numbers.allSatisfy({ (0...largestExtent).contains($0) }) else { return nil }
        return VideoDamage(decodingErrors: numbers[0], missingFrames: numbers[1], skippedBytes: numbers[2], endsEarly: numbers[3] == 1)
    }
}

/// Keeps the facts of files between runs, so that unchanged files are not read again. Any thread may call it at any time. Its
/// methods do not throw, because a check works without a cache.
package protocol ClipCache: Sendable {
    /// The facts of the file at `path`; nil if it has changed since or is unknown. `variant` is everything else they depend on.
    func facts(of path: String, variant: String) -> ClipFacts?

    /// Stores the facts read from `path`, unless the file may have changed in the meantime.
    func remember(_ facts: ClipFacts, of path: String, variant: String)

    /// The facts of several clips, in their order: quicker than one after the other.
    func facts(of clips: [CachedClip]) -> [ClipFacts?]

    /// Makes what was remembered available to later runs: to be called after many clips.
    func save()
}

extension ClipCache {
    package func facts(of clips: [CachedClip]) -> [ClipFacts?] { clips.map { facts(of: $0.path, variant: $0.variant) } }
}

/// A clip whose facts are looked up.
package struct CachedClip: Sendable {
    package let path: String
    /// Everything besides the file that the facts depend on.
    package let variant: String
    /// That of its file, if that is a file under its own name and was looked at just now; otherwise it is looked at.
    package let status: FileStatus?

    package init(path: String, variant: String, status: FileStatus?) { (self.path, self.variant, self.status) = (path, variant, status) }
}

/// A clip with the result of reading it.
package struct CheckedClip: Sendable {
    package let entry: DataSet.Entry
    package let result: Result<ClipFacts, VidclassError>
    /// Whether the clip itself is whole. A readable clip can still be bad: it does not fit the model.
    package let isReadable: Bool

    /// - Parameter isReadable: by default whether `result` is a success.
    package init(entry: DataSet.Entry, result: Result<ClipFacts, VidclassError>, isReadable: Bool? = nil) {
        self.entry = entry
        self.result = result
        self.isReadable = isReadable ?? ((try? result.get()) != nil)
    }

    /// Nil for a bad clip.
    package var facts: ClipFacts? { try? result.get() }

    /// That of the facts, without a copy of them; nil for a bad clip.
    var digest: String? {
        guard case .success(let facts) = result else { return nil }
        return facts.digest
    }

    /// The first 64 bits of the digest; nil for a bad clip.
    var digestStart: UInt64? {
        guard case .success(let facts) = result else { return nil }
        return facts.digestStart
    }

    /// The reason why the clip is bad, without its path in front; nil for a good clip.
    package var reason: String? {
        guard case .failure(let error) = result else { return nil }
        let heads = [entry.path, ClipPath.file(entry.path)].map { $0.printable + ": " }
        let head = heads.first { error.message.hasPrefix($0) }
        return head.map { String(error.message.dropFirst($0.count)) } ?? error.message
    }
}
