import VidSystem
import VidTensor

/// Folders of numbered pictures: every picture is a frame that can be decoded by itself.
extension VideoDecoder {
    /// The folder of pictures at `path`; nil for anything but a folder. Throws for a folder that is not a clip.
    func folder(_ path: String) throws -> FrameFolder? {
        try SystemCall.status(path).kind == .folder ? FrameFolder(path) : nil
    }

    /// Decodes pictures as `decode` does frames of a video. Only the wanted pictures are opened, unless the choice is complete. Until one
    /// is decoded, the description has no codec and no size; it gets those of the first one.
    nonisolated(nonsending) func decode(
        _ folder: FrameFolder, _ sizes: [FrameSize], _ choose: (VideoInfo) throws -> Choice?,
        _ consume: (_ number: Int, _ size: Int, UnsafeRawBufferPointer) async throws -> Void
    ) async throws -> VideoInfo {
        var video = VideoInfo(folder, rate: files.folderRate ?? 0)
        let choice = try choose(video)
        var wants: [(number: Int, sizes: [Int])] = []
        if let choice {
            precondition(choice.numbers.count == sizes.count, "frames for \(choice.numbers.count) sizes, expected \(sizes.count)")
            var places: [Int: [Int]] = [:]
            for (size, numbers) in choice.numbers.enumerated() { for number in numbers { places[number, default: []].append(size) } }
            wants = (choice.isComplete ? Array(0..<folder.count) : places.keys.sorted()).map { ($0, places[$0] ?? []) }
        }
        if wants.isEmpty { wants = [(0, [])] }
        let first = try await files.with(folder) { try await show(folder, wants, sizes, $0, consume) }
        (video.codec, video.rows, video.columns) = (first.codec, first.rows, first.columns)
        return video
    }

    /// Decodes the wanted pictures, each in these of the `sizes`; returns the description of the first one.
    private nonisolated(nonsending) func show(
        _ folder: FrameFolder, _ wants: [(number: Int, sizes: [Int])], _ sizes: [FrameSize], _ session: ReaderSession,
        _ consume: (Int, Int, UnsafeRawBufferPointer) async throws -> Void
    ) async throws -> MediaStream {
        let frame = VideoDecoder.roomForFrame(sizes)
        defer { frame.deallocate() }
        var first: MediaStream?
        for want in wants {
            let stream = try await show(folder, want.number, want.sizes.map { sizes[$0] }, session)
            first = first ?? stream
            for (place, size) in want.sizes.enumerated() {
                let (kind, length) = try await session.reply()
                guard kind == MediaMessage.frame, length == MediaMessage.frameHead + sizes[size].count else { throw session.unexpected() }
                try await consume(want.number, size, try await readFrame(session, length, 0, place: place, into: frame))
            }
            try await session.finish()
        }
        guard let first else { throw session.unexpected() }
        return first
    }

    /// Hands a picture to the reader, and returns its description; the frames follow.
    private nonisolated(nonsending) func show(
        _ folder: FrameFolder, _ number: Int, _ sizes: [FrameSize], _ session: ReaderSession
    ) async throws -> MediaStream {
        let file = try RegularFile(folder.picture(number))
        try FileContent.checkPicture(file)
        try files.beginPicture(file, session)
        try await session.send(MediaMessage.show, PictureShowing(sizes: sizes).bytes, file: file)
        guard let stream = MediaStream(try await session.reply(MediaMessage.stream, limit: MediaStream.size)) else {
            throw session.unexpected()
        }
        return stream
    }
}

extension VideoInfo {
    /// The frames of a folder at this rate, 0 if it is unknown.
    fileprivate init(_ folder: FrameFolder, rate: Double) {
        self.init(
            container: VideoInfo.folderContainer, codec: "", rows: 0, columns: 0, streams: 1, chosen: 0,
            times: FrameTimes(count: folder.count, rate: rate), keys: [Bool](repeating: true, count: folder.count), isExact: true,
            damage: nil)
    }
}
