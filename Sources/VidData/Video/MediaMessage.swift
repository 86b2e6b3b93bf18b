import VidSystem

/// The messages of the program and a reader about videos and sounds: their kinds, and their payloads as pure functions of
/// bytes. All integers are little-endian. An initialiser from bytes returns nil for a payload that nobody would send.
enum MediaMessage {
    private static let first = ReaderMessage.firstFree + 16

    // Requests.
    /// Opens the file that comes with it; the payload is a `MediaOpening`. The answer is a `stream`.
    static let open = first
    /// Lists the frames; one byte says whether exactly. The answer is `frames`, then `times`.
    static let list = first + 1
    /// Wants the `FrameRun`s of the payload besides those wanted before.
    static let want = first + 2
    /// Decodes what is wanted; the payload is a `MediaDecoding`. The answer is a `frame` for each, then `damage`, `mismatch`
    /// or `again`.
    static let decode = first + 3
    /// Decodes a sound; the payload is a `MediaListening`. The answer is `samples`.
    static let listen = first + 4
    /// Decodes the single picture that comes with it; the payload is a `PictureShowing`. The answer is a `stream`, then a `frame` 0 for
    /// each size, and it is not open afterwards.
    static let show = first + 5
    /// Decodes a stream while it comes; the payload is a `MediaDecoding` of one picture. The answer is a `stream` with a `StreamClock` behind
    /// it, a `frame` for each, with its time in place of its number, and a `streamEnd`; and among them each time that bytes are needed
    /// `more`, whose payload is the most (i64), to which the program says `bytes`.
    static let follow = first + 6
    /// The next bytes of a stream; none at its end.
    static let bytes = first + 7

    // Answers.
    static let stream = first + 16
    static let frames = first + 17
    static let times = first + 18
    static let frame = first + 19
    static let damage = first + 20
    static let mismatch = first + 21
    static let samples = first + 22
    static let more = first + 23
    static let streamEnd = first + 24
    static let again = first + 25

    /// The bytes before the pixels of a `frame`: its number (i64) and its picture's place (i64).
    static let frameHead = 16
    /// The most runs of a request.
    static let mostRuns = ReaderMessage.requestLimit / FrameRun.size
}

/// Reads values one after another.
struct ByteCursor {
    private let bytes: [UInt8]
    private var place = 0
    /// Whether fewer bytes were there than were read.
    private(set) var isShort = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether all bytes have been read, and no more.
    var isAtEnd: Bool { !isShort && place == bytes.count }

    mutating func next<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value {
        guard place + MemoryLayout<Value>.size <= bytes.count else {
            isShort = true
            return 0
        }
        defer { place += MemoryLayout<Value>.size }
        return LittleEndian.value(bytes, place)
    }

    mutating func integer() -> Int { Int(truncatingIfNeeded: next(Int64.self)) }

    /// A text of `count` bytes or fewer, which zeros follow.
    mutating func text(_ count: Int) -> String {
        guard place + count <= bytes.count else {
            isShort = true
            return ""
        }
        defer { place += count }
        return String(decoding: bytes[place..<place + count].prefix { $0 != 0 }, as: UTF8.self).printable
    }
}

/// Opens a file.
package struct MediaOpening: Equatable {
    /// Whether its sound is wanted instead of its pictures.
    var isSound: Bool
    var threads: Int

    package var bytes: [UInt8] { LittleEndian.bytes(Int64(isSound ? 1 : 0)) + LittleEndian.bytes(Int64(threads)) }
}

extension MediaOpening {
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        let (medium, threads) = (cursor.integer(), cursor.integer())
        guard cursor.isAtEnd, medium == 0 || medium == 1, (1...1024).contains(threads) else { return nil }
        self.init(isSound: medium == 1, threads: threads)
    }
}

/// Wanted frames: `count` numbers from `first` on, `step` apart, as the picture at the place `picture`.
package struct FrameRun: Equatable {
    static let size = 32

    var first: Int
    var step: Int
    var count: Int
    var picture: Int

    package var bytes: [UInt8] { [first, step, count, picture].flatMap { LittleEndian.bytes(Int64($0)) } }

    /// The runs that give `wants`, which ascend by their numbers.
    static func runs(_ numbers: [Int], picture: Int) -> [FrameRun] {
        var runs: [FrameRun] = []
        for number in numbers {
            guard var last = runs.last, last.count == 1 || last.first + last.count * last.step == number else {
                runs.append(FrameRun(first: number, step: 1, count: 1, picture: picture))
                continue
            }
            if last.count == 1 { last.step = number - last.first }
            last.count += 1
            runs[runs.count - 1] = last
        }
        return runs
    }

    /// The runs of a payload.
    package static func all(_ bytes: [UInt8]) -> [FrameRun]? {
        guard bytes.count % size == 0 else { return nil }
        var cursor = ByteCursor(bytes)
        var runs: [FrameRun] = []
        for _ in 0..<bytes.count / size {
            let run = FrameRun(first: cursor.integer(), step: cursor.integer(), count: cursor.integer(), picture: cursor.integer())
            let most = Int(Int32.max)
            guard (0...most).contains(run.first), (0...most).contains(run.step), (1...most).contains(run.count),
                run.first + (run.count - 1) * run.step <= most, (0..<16).contains(run.picture)
            else { return nil }
            runs.append(run)
        }
        return runs
    }
}

/// The size in which frames are delivered: scaled to cover it, and cropped to the centre.
package struct FrameSize: Sendable, Equatable {
    /// 1 (grey) or 3 (RGB).
    package let channels: Int
    package let rows: Int
    package let columns: Int

    package init(channels: Int, rows: Int, columns: Int) {
        precondition(channels == 1 || channels == 3, "a video has 1 or 3 channels, not \(channels)")
        precondition((1...ClipShape.maximumSide).contains(rows) && (1...ClipShape.maximumSide).contains(columns), "\(rows)x\(columns)")
        self.channels = channels
        self.rows = rows
        self.columns = columns
    }

    private init(withoutPixels channels: Int) { (self.channels, rows, columns) = (channels, 0, 0) }

    /// Frames that are decoded, neither scaled nor delivered: only their numbers come. For measurements.
    static let withoutPixels = FrameSize(withoutPixels: 1)

    /// The bytes of a frame.
    package var count: Int { channels * rows * columns }
}

/// Decodes what is wanted.
package struct MediaDecoding: Equatable {
    /// Whether everything is decoded, and damage counted.
    var isComplete: Bool
    /// Whether only one field of interlaced frames is used.
    var deinterlaces: Bool
    var pictures: [FrameSize]

    package var bytes: [UInt8] {
        [isComplete ? 1 : 0, deinterlaces ? 1 : 0].flatMap { LittleEndian.bytes(Int64($0)) } + pictures.flatMap(\.bytes)
    }
}

extension MediaDecoding {
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        let (isComplete, deinterlaces) = (cursor.integer(), cursor.integer())
        guard !cursor.isShort, let pictures = FrameSize.all(bytes.dropFirst(16)), !pictures.isEmpty else { return nil }
        self.init(isComplete: isComplete == 1, deinterlaces: deinterlaces == 1, pictures: pictures)
    }
}

/// Decodes a single picture in some sizes, or in none: to find out whether it can be decoded.
package struct PictureShowing: Equatable {
    var sizes: [FrameSize]

    package var bytes: [UInt8] { sizes.flatMap(\.bytes) }
}

extension PictureShowing {
    package init?(_ bytes: [UInt8]) {
        guard let sizes = FrameSize.all(bytes[...]) else { return nil }
        self.init(sizes: sizes)
    }
}

extension FrameSize {
    /// The most sizes of a request.
    private static let most = 16

    fileprivate var bytes: [UInt8] { [channels, rows, columns].flatMap { LittleEndian.bytes(Int64($0)) } }

    /// Reads channels, rows and columns of each size; nil if there are too many, or if there is no such size.
    fileprivate static func all(_ bytes: ArraySlice<UInt8>) -> [FrameSize]? {
        guard bytes.count <= 24 * most, bytes.count % 24 == 0 else { return nil }
        var cursor = ByteCursor(Array(bytes))
        var sizes: [FrameSize] = []
        for _ in 0..<bytes.count / 24 {
            let (channels, rows, columns) = (cursor.integer(), cursor.integer(), cursor.integer())
            if channels == 1, rows == 0, columns == 0 {
                sizes.append(.withoutPixels)
                continue
            }
            guard channels == 1 || channels == 3, (1...ClipShape.maximumSide).contains(rows), (1...ClipShape.maximumSide).contains(columns)
            else { return nil }
            sizes.append(FrameSize(channels: channels, rows: rows, columns: columns))
        }
        return sizes
    }
}

/// Decodes a sound.
package struct MediaListening: Equatable {
    var sampleRate: Int
    /// The most samples.
    var most: Int

    package var bytes: [UInt8] { LittleEndian.bytes(Int64(sampleRate)) + LittleEndian.bytes(Int64(most)) }
}

extension MediaListening {
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        self.init(sampleRate: cursor.integer(), most: cursor.integer())
        guard cursor.isAtEnd, (1...Int(Int32.max)).contains(sampleRate), most > 0 else { return nil }
    }
}

/// A stream as its container describes it.
package struct MediaStream: Equatable {
    var container = ""
    var codec = ""
    var rows = 0
    var columns = 0
    var streams = 1
    var chosen = 0
    /// Stated frames a second; 0 = unknown.
    var rate = 0.0
    /// 0 = unknown.
    var listedFrames = 0
    var sampleRate = 0
    var channels = 0
    var seconds = 0.0
    var secondsAreListed = false

    private static let text = 32
    package static let size = 2 * text + 10 * 8

    package var bytes: [UInt8] {
        func padded(_ text: String) -> [UInt8] {
            let bytes = Array(text.utf8.prefix(MediaStream.text))
            return bytes + [UInt8](repeating: 0, count: MediaStream.text - bytes.count)
        }
        let integers = [rows, columns, streams, chosen, listedFrames, sampleRate, channels, secondsAreListed ? 1 : 0]
        return padded(container) + padded(codec) + integers.flatMap { LittleEndian.bytes(Int64($0)) }
            + [rate, seconds].flatMap { LittleEndian.bytes($0.bitPattern) }
    }
}

extension MediaStream {
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        container = cursor.text(MediaStream.text)
        codec = cursor.text(MediaStream.text)
        rows = cursor.integer()
        columns = cursor.integer()
        streams = cursor.integer()
        chosen = cursor.integer()
        listedFrames = cursor.integer()
        sampleRate = cursor.integer()
        channels = cursor.integer()
        secondsAreListed = cursor.integer() == 1
        rate = Double(bitPattern: cursor.next())
        seconds = Double(bitPattern: cursor.next())
        let most = Int(Int32.max)
        guard cursor.isAtEnd, [rows, columns, streams, chosen, sampleRate, channels].allSatisfy({ (0...most).contains($0) }),
            listedFrames >= 0, rate.isFinite, rate >= 0, seconds.isFinite
        else { return nil }
        seconds = max(0, seconds)
    }
}

/// The head of a list of frames; a `times` message with 9 bytes a frame follows: its time in ticks (i64) for each, then for each
/// whether decoding can begin there.
package struct FrameList: Equatable {
    /// The most frames of a video.
    static let most = 1 << 26
    package static let size = 6 * 8

    package var count: Int
    /// A tick lasts `over` / `under` seconds.
    var over: Int
    var under: Int
    var lastDuration: Int
    var isExact: Bool
    var isCut: Bool

    package var bytes: [UInt8] {
        [count, over, under, lastDuration, isExact ? 1 : 0, isCut ? 1 : 0].flatMap { LittleEndian.bytes(Int64($0)) }
    }
}

extension FrameList {
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        count = cursor.integer()
        over = cursor.integer()
        under = cursor.integer()
        lastDuration = cursor.integer()
        isExact = cursor.integer() == 1
        isCut = cursor.integer() == 1
        guard cursor.isAtEnd, (1...FrameList.most).contains(count), (1...Int(Int32.max)).contains(over),
            (1...Int(Int32.max)).contains(under), (0...Int(Int64.max >> 8)).contains(lastDuration)
        else { return nil }
    }

    /// The times and keys of a `times` message; nil if the times do not ascend from 0.
    package func decode(_ bytes: [UInt8]) -> (ticks: [Int64], keys: [Bool])? {
        guard bytes.count == 9 * count else { return nil }
        let ticks: [Int64] = bytes.withUnsafeBytes { bytes in
            (0..<count).map { Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
        }
        // guard: times-of-readers
        guard ticks[0] == 0, zip(ticks, ticks.dropFirst()).allSatisfy({ $0 <= $1 }), ticks[count - 1] < Int64.max >> 8 else { return nil }
        return (ticks, bytes[(8 * count)...].map { $0 != 0 })
    }
}

/// The damage that decoding met.
package struct MediaDamage: Equatable {
    static let size = 24

    var decodingErrors = 0
    var missingFrames = 0
    var skippedBytes = 0

    package var bytes: [UInt8] { [decodingErrors, missingFrames, skippedBytes].flatMap { LittleEndian.bytes(Int64($0)) } }
}

extension MediaDamage {
    /// Leaves what was met after `earlier`, a part of it.
    mutating func subtract(_ earlier: MediaDamage) {
        decodingErrors -= min(decodingErrors, earlier.decodingErrors)
        missingFrames -= min(missingFrames, earlier.missingFrames)
        skippedBytes -= min(skippedBytes, earlier.skippedBytes)
    }

    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        self.init(decodingErrors: cursor.integer(), missingFrames: cursor.integer(), skippedBytes: cursor.integer())
        // The sums of such numbers do not overflow.
        // guard: damage-of-readers, without: Int64.max >> 8 -> Int64.max
        guard cursor.isAtEnd, [decodingErrors, missingFrames, skippedBytes].allSatisfy({ (0...Int(Int64.max >> 8)).contains($0) })
        else { return nil }
    }
}
