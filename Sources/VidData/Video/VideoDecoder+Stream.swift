import VidSystem
import VidTensor

/// The bytes of a stream while somebody writes them.
package struct StreamSource: Sendable {
    /// Its name for people.
    package let name: String
    /// Waits for the next bytes, at most so many; none at the end.
    package let next: @Sendable (_ most: Int) async throws -> [UInt8]

    package init(name: String, next: @escaping @Sendable (_ most: Int) async throws -> [UInt8]) { (self.name, self.next) = (name, next) }
}

/// A stream as its first bytes describe it.
package struct StreamDescription: Sendable {
    package let clock: StreamClock
    /// Stated frames a second; 0 = unknown.
    package let rate: Double

    package init(clock: StreamClock, rate: Double) { (self.clock, self.rate) = (clock, rate) }
}

/// How a stream ended.
package struct StreamResult: Sendable {
    /// How long the last frame is shown, in units of the stream's clock; 0 = unknown.
    package let lastDuration: Int
    /// Nil if there is none.
    package let damage: VideoDamage?
}

/// Videos that are decoded while they come: once, from the first byte to the last.
extension VideoDecoder {
    /// Decodes every frame of a stream in the given size.
    ///
    /// The bytes pass through this process, so that only the reader's own time counts against its limit: how long the stream's writer takes
    /// for the next ones does not matter.
    ///
    /// - Parameters:
    ///   - begin: gets the stream's description before the first frame.
    ///   - consume: takes a frame: its time from the first frame on, in units of the stream's clock, and (channels, rows, columns) bytes that
    ///     are valid during the call. Times come in the order in which frames are shown. Decoding goes on meanwhile as far as there is room.
    /// - Throws: `.badData` if it is no video, or if it cannot be read to its end, and the errors of the source and of the functions.
    package func follow(
        _ source: StreamSource, _ size: FrameSize, begin: (StreamDescription) throws -> Void,
        consume: (_ time: Int64, UnsafeRawBufferPointer) async throws -> Void
    ) async throws -> StreamResult {
        try MemoryBudget.checkLoading(Size.product(2, size.count), of: source.name)
        return try await files.withStream(source.name) { session, restart in
            try await session.send(
                MediaMessage.follow, MediaDecoding(isComplete: true, deinterlaces: deinterlaces, pictures: [size]).bytes)
            let frame = VideoDecoder.roomForFrame([size])
            defer { frame.deallocate() }
            var hasBegun = false
            while true {
                let (kind, length) = try await session.reply()
                switch kind {
                case MediaMessage.more where length == 8:
                    let most = Int(clamping: LittleEndian.value(try await session.bytes(length), 0) as Int64)
                    guard most > 0 else { throw session.unexpected() }
                    let bytes = try await source.next(min(most, ReaderMessage.requestLimit))
                    // A piece of some kilobytes never holds so many frames.
                    restart(Size.product(MediaFiles.mostFramesOfPiece, MediaMessage.frameHead + size.count))
                    try await session.send(MediaMessage.bytes, bytes, continues: true)
                case MediaMessage.stream where !hasBegun && length == MediaStream.size + StreamClock.size:
                    let head = try await session.bytes(length)
                    guard let stream = MediaStream(Array(head[..<MediaStream.size])),
                        let clock = StreamClock(Array(head[MediaStream.size...]))
                    else { throw session.unexpected() }
                    try begin(StreamDescription(clock: clock, rate: stream.rate))
                    hasBegun = true
                case MediaMessage.frame where hasBegun && length == MediaMessage.frameHead + size.count:
                    let found = try await readFrame(session, length, into: frame)
                    guard StreamClock.isPossible(found.number) else { throw session.unexpected() }
                    try await consume(found.number, found.pixels)
                case MediaMessage.streamEnd where hasBegun && length == StreamEnd.size:
                    guard let end = StreamEnd(try await session.bytes(length)) else { throw session.unexpected() }
                    try await session.finish()
                    guard !end.isCut else {
                        throw VidclassError.file(source.name, "cannot be read further: the stream is damaged from here on")
                    }
                    let damage = VideoDamage(
                        decodingErrors: end.damage.decodingErrors, missingFrames: 0, skippedBytes: end.damage.skippedBytes)
                    return StreamResult(lastDuration: end.lastDuration, damage: damage == VideoDamage() ? nil : damage)
                default: throw session.unexpected()
                }
            }
        }
    }
}

extension FileContent {
    /// Whether a stream that starts with `head`, of `headSize` bytes, can be decoded while it comes: containers whose frames have times and
    /// need nothing that is written after them. Of MP4, that is fragments, or an index before the frames.
    package static func canBeFollowed(_ head: [UInt8]) -> Bool {
        switch FileContent(head: head) {
        case .clip(.video, "ts"), .clip(.video, "flv"), .clip(.video, "nut"), .clip(.video, "y4m"), .clip(.video, "ivf"), .container("mkv"):
            true
        case .container("mp4"), .container("mov"), .container("m4s"): hasIndexFirst(FileHead(bytes: head))
        default: false
        }
    }

    /// Whether the index of MP4, or a fragment, comes before its frames.
    private static func hasIndexFirst(_ head: FileHead) -> Bool {
        var place = 0
        while let length = head.number(at: place) {
            if ["moov", "moof", "sidx"].contains(where: { head.has($0, at: place + 4) }) { return true }
            guard length >= 8, !head.has("mdat", at: place + 4) else { return false }
            place += length
        }
        return false
    }
}
