import VidSystem
import VidTensor

/// Decodes videos, and folders of pictures as if they were videos, with FFmpeg's libraries in readers.
package struct VideoDecoder: Sendable {
    /// Whether only one field of interlaced frames is used.
    package let deinterlaces: Bool
    let files: MediaFiles

    package init(deinterlaces: Bool = true, files: MediaFiles = MediaFiles()) {
        self.deinterlaces = deinterlaces
        self.files = files
    }

    /// The frames wanted of a video: numbers of shown frames, ascending, each once, for each size in which frames are wanted.
    package struct Choice: Sendable {
        package var numbers: [[Int]]
        /// Whether every frame is decoded, wanted or not, and damage counted. Otherwise decoding begins at the key frame before each
        /// wanted frame, and frames that no other refers to are left out.
        package var isComplete: Bool

        package init(_ numbers: [[Int]], isComplete: Bool = false) {
            self.numbers = numbers
            self.isComplete = isComplete
        }
    }

    /// Reads what the container says of the video at `path`, which may name a part of it. Nothing is decoded, except for the first picture
    /// of a folder.
    package func information(_ path: String) async throws -> VideoInfo {
        try await decode(path, []) { _ in
            nil
        } consume: { _, _, _ in
        }
    }

    /// Decodes frames of the video at `path` in the given sizes, in one pass. Where `path` names a part of it, frames are numbered and
    /// timed in the whole video all the same.
    ///
    /// Frames are known by their packets. If decoding does not give the frames that packets promise, all are decoded once to list them,
    /// and `choose` is called again, with `VideoInfo.isExact`; what was consumed before is to be forgotten then, unless it did not
    /// depend on the rest of the file. If several threads met errors in a complete decoding, it is repeated on one, which always meets the
    /// same: `choose` is called again.
    ///
    /// - Parameters:
    ///   - choose: chooses frames; nil to decode none.
    ///   - consume: takes a frame: its number, the place of its size, and (channels, rows, columns) bytes that are valid during the call.
    ///     Frames come by ascending numbers. Decoding waits meanwhile.
    /// - Returns: the video's description, with the damage that was met.
    @discardableResult
    package func decode(
        _ path: String, _ sizes: [FrameSize], choose: (VideoInfo) throws -> Choice?,
        consume: (_ number: Int, _ size: Int, UnsafeRawBufferPointer) async throws -> Void
    ) async throws -> VideoInfo {
        let bytes = sizes.map(\.count).max() ?? 0
        let clip = ClipPath(path)
        try MemoryBudget.checkLoading(Size.product(2, bytes), of: clip.file)
        if let folder = try folder(clip.file) { return try await decode(folder, sizes, choose, consume) }
        return try await files.withVideo(clip.file) { session, open in
            var video: VideoInfo
            if let known = open.video { video = known } else { video = try await list(session, open.stream, exactly: false, clip.file) }
            // A part can be read although the rest is missing.
            if clip.segment == nil, let fault = video.fault { throw fault }
            open.video = video
            while true {
                guard let choice = try choose(video) else { return video }
                let listed = open.video
                open.video = nil
                if clip.segment != nil, open.metInListing == nil {
                    let nothing = try await run(session, Choice(sizes.map { _ in [] }), sizes, consume)
                    if case .done(let damage) = nothing { open.metInListing = damage }
                }
                switch try await run(session, choice, sizes, consume) {
                case .again: continue
                case .otherFrames: break
                case .done(var damage):
                    if choice.isComplete || video.isExact { video.add(damage) }
                    // A segment is not damaged by what is damaged elsewhere in its file.
                    if clip.segment != nil, !video.isExact { damage.subtract(open.metInListing ?? MediaDamage()) }
                    video.metErrors = damage != MediaDamage()
                    video.decodingErrors = damage.decodingErrors
                    // Otherwise what was met would count again, and a list made by decoding would number the frames of a later request.
                    if !video.metErrors, !video.isExact { open.video = listed }
                    return video
                }
                guard !video.isExact else {
                    throw VidclassError.file(clip.file, "the video is damaged: it gives other frames each time it is decoded")
                }
                video = try await list(session, open.stream, exactly: true, clip.file)
                if clip.segment == nil, let fault = video.fault { throw fault }
            }
        }
    }

    private nonisolated(nonsending) func list(
        _ session: ReaderSession, _ stream: MediaStream, exactly: Bool, _ path: String
    ) async throws -> VideoInfo {
        try await session.send(MediaMessage.list, [exactly ? 1 : 0])
        guard let list = FrameList(try await session.reply(MediaMessage.frames, limit: FrameList.size)),
            case let size = 9 * list.count, try MemoryBudget.checkLoading(Size.product(4, size), of: path) == (),
            let (ticks, keys) = list.decode(try await session.reply(MediaMessage.times, limit: size))
        else { throw session.unexpected() }
        try await session.finish()
        return VideoInfo(stream, list, ticks: ticks, keys: keys, path: path)
    }

    private enum Outcome {
        case done(MediaDamage)
        /// Other frames came than were listed.
        case otherFrames
        /// Several threads met errors. The next time there is one.
        case again
    }

    /// Decodes what is chosen.
    private nonisolated(nonsending) func run(
        _ session: ReaderSession, _ choice: Choice, _ sizes: [FrameSize],
        _ consume: (Int, Int, UnsafeRawBufferPointer) async throws -> Void
    ) async throws -> Outcome {
        precondition(choice.numbers.count == sizes.count, "frames for \(choice.numbers.count) sizes, expected \(sizes.count)")
        var wants: [(number: Int, size: Int)] = []
        for (size, numbers) in choice.numbers.enumerated() {
            let runs = FrameRun.runs(numbers, picture: size)
            for start in stride(from: 0, to: runs.count, by: MediaMessage.mostRuns) {
                let part = runs[start..<min(start + MediaMessage.mostRuns, runs.count)]
                try await session.send(MediaMessage.want, part.flatMap(\.bytes))
                try await session.finish()
            }
            wants += numbers.map { ($0, size) }
        }
        if sizes.count > 1 { wants.sort { ($0.number, $0.size) < ($1.number, $1.size) } }
        try await session.send(
            MediaMessage.decode, MediaDecoding(isComplete: choice.isComplete, deinterlaces: deinterlaces, pictures: sizes).bytes)

        let frame = VideoDecoder.roomForFrame(sizes)
        defer { frame.deallocate() }
        for want in wants {
            let (kind, length) = try await session.reply()
            if kind == MediaMessage.mismatch, length == 0 {
                try await session.finish()
                return .otherFrames
            }
            guard kind == MediaMessage.frame, length == MediaMessage.frameHead + sizes[want.size].count else { throw session.unexpected() }
            try await consume(want.number, want.size, try await readFrame(session, length, want.number, place: want.size, into: frame))
        }
        let (kind, length) = try await session.reply()
        if kind == MediaMessage.mismatch || kind == MediaMessage.again, length == 0 {
            try await session.finish()
            return kind == MediaMessage.again ? .again : .otherFrames
        }
        guard kind == MediaMessage.damage, length == MediaDamage.size, let damage = MediaDamage(try await session.bytes(length)) else {
            throw session.unexpected()
        }
        try await session.finish()
        return .done(damage)
    }

    /// Memory for the message of a frame of any of these sizes.
    static func roomForFrame(_ sizes: [FrameSize]) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer.allocate(byteCount: MediaMessage.frameHead + (sizes.map(\.count).max() ?? 0), alignment: 64)
    }

    /// Reads the message of a frame, of `length` bytes, into `memory`.
    nonisolated(nonsending) func readFrame(
        _ session: ReaderSession, _ length: Int, into memory: UnsafeMutableRawBufferPointer
    ) async throws -> (number: Int64, place: Int64, pixels: UnsafeRawBufferPointer) {
        let message = UnsafeMutableRawBufferPointer(rebasing: memory[..<length])
        try await session.read(into: message)
        return (
            Int64(littleEndian: message.load(as: Int64.self)), Int64(littleEndian: message.load(fromByteOffset: 8, as: Int64.self)),
            UnsafeRawBufferPointer(rebasing: message[MediaMessage.frameHead...])
        )
    }

    /// The same: returns its pixels. Throws if it is not frame `number` for the
    /// wanted picture at `place`.
    nonisolated(nonsending) func readFrame(
        _ session: ReaderSession, _ length: Int, _ number: Int, place: Int, into memory: UnsafeMutableRawBufferPointer
    ) async throws -> UnsafeRawBufferPointer {
        let frame = try await readFrame(session, length, into: memory)
        guard frame.number == number, frame.place == place else { throw session.unexpected() }
        return frame.pixels
    }
}

extension VideoInfo {
    /// Adds what decoding all frames met.
    fileprivate mutating func add(_ found: MediaDamage) {
        guard found != MediaDamage() else { return }
        var sum = damage ?? VideoDamage()
        sum.decodingErrors += found.decodingErrors
        sum.missingFrames = max(sum.missingFrames, found.missingFrames)
        sum.skippedBytes += found.skippedBytes
        damage = sum
    }
}
