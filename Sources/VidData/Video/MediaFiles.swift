import FoundationEssentials
import VidSystem

/// Opens videos, sounds and pictures in readers.
package struct MediaFiles: Sendable {
    /// The rate of the frames in folders of pictures (`data.frame_folder_fps`); nil = unknown.
    package var folderRate: Double?
    private let readers: Readers
    /// Replaces the time limits that depend on a file's size, for tests and for very slow machines.
    private let timeLimit: Duration?

    /// Sets the time limit of one file, in seconds.
    package static let timeVariable = "VIDCLASS_FFMPEG_SECONDS"

    /// - Parameter timeLimit: the longest time that the program waits for a reader to read one file; nil for the variable
    ///   `VIDCLASS_FFMPEG_SECONDS`, or else a limit by the file's size.
    package init(readers: Readers = .shared, timeLimit: Duration? = nil, folderRate: Double? = nil) {
        self.folderRate = folderRate
        self.readers = readers
        self.timeLimit = timeLimit
    }

    /// The time limit that the user has set. Throws `.usage` for anything but a number of seconds.
    private static func environmentLimit() throws -> Duration? {
        guard let text = ProcessInfo.processInfo.environment[timeVariable] else { return nil }
        guard let seconds = Int(text), seconds > 0 else {
            throw VidclassError(.usage, "\(timeVariable): expected a whole number of seconds, found \"\(text.printable)\"")
        }
        return .seconds(seconds)
    }

    /// Lets `body` work with a reader that has the file at `path` open: its frames, or its sound.
    ///
    /// - Throws: `.missingInput` if there is no file, `.badData` if it is no such file or harmed the reader, and the errors of `body`.
    nonisolated(nonsending) func with<Result>(
        _ path: String, isSound: Bool, _ body: nonisolated(nonsending) (ReaderSession, MediaStream) async throws -> Result
    ) async throws -> Result {
        try await with(path, isSound: isSound, reopening: true) { session, open in try await body(session, open.stream) }
    }

    /// The same for a video. The reader may have it open already, and the caller its list of frames, from the request before: many parts
    /// of one video are read one after another.
    nonisolated(nonsending) func withVideo<Result>(
        _ path: String, _ body: nonisolated(nonsending) (ReaderSession, OpenVideo) async throws -> Result
    ) async throws -> Result {
        try await with(path, isSound: false, reopening: false, body)
    }

    /// A file that a reader has open.
    final class OpenVideo {
        let status: FileStatus
        let stream: MediaStream
        /// Its list of frames; nil if the reader is to open it anew next time.
        var video: VideoInfo?
        /// The damage that listing met, anywhere in the file; nil if nobody has asked.
        var metInListing: MediaDamage?

        init(_ status: FileStatus, _ stream: MediaStream) { (self.status, self.stream) = (status, stream) }
    }

    private nonisolated(nonsending) func with<Result>(
        _ path: String, isSound: Bool, reopening: Bool,
        _ body: nonisolated(nonsending) (ReaderSession, OpenVideo) async throws -> Result
    ) async throws -> Result {
        let file = try RegularFile(path)
        guard file.size > 0 else { throw VidclassError.file(path, "the file is empty") }
        return try await readers.withReader(for: path, timeLimit: limit(file)) { session in
            let known = session.kept as? OpenVideo
            session.kept = nil
            if !reopening, let known, known.video != nil, known.status == file.status {
                defer { session.kept = known }
                return try await body(session, known)
            }
            try await session.send(MediaMessage.open, MediaOpening(isSound: isSound, threads: session.threads).bytes, file: file)
            guard let stream = MediaStream(try await session.reply(MediaMessage.stream, limit: MediaStream.size)) else {
                throw session.unexpected()
            }
            try await session.finish()
            let open = OpenVideo(file.status, stream)
            defer { session.kept = isSound ? nil : open }
            return try await body(session, open)
        }
    }

    /// Lets `body` work with a reader to which it shows the pictures of `folder` one after another.
    nonisolated(nonsending) func with<Result>(
        _ folder: FrameFolder, _ body: nonisolated(nonsending) (ReaderSession) async throws -> Result
    ) async throws -> Result {
        try await readers.withReader(for: folder.path, timeLimit: .seconds(60)) { session in
            // A picture takes the place of the video that the reader has open.
            session.kept = nil
            return try await body(session)
        }
    }

    /// The most frames in one piece of a stream's bytes.
    static let mostFramesOfPiece = 1 << 16

    /// Lets `body` work with a reader that nothing is open in, for a stream of this name. `restart` begins its time limit anew, and the limit of
    /// the bytes that it may send.
    nonisolated(nonsending) func withStream<Result>(
        _ name: String,
        _ body: nonisolated(nonsending) (ReaderSession, _ restart: (_ outputLimit: Int) -> Void) async throws -> Result
    ) async throws -> Result {
        let limit = try timeLimit ?? MediaFiles.environmentLimit() ?? .seconds(60)
        return try await readers.withReader(for: name, timeLimit: limit) { session in
            session.kept = nil
            return try await body(session) { session.beginRequest(name, timeLimit: limit, outputLimit: $0) }
        }
    }

    /// Begins work on the next picture of a folder. `file` is the open picture.
    func beginPicture(_ file: RegularFile, _ session: ReaderSession) throws {
        session.beginRequest(file.path, timeLimit: try limit(file))
    }

    private func limit(_ file: RegularFile) throws -> Duration {
        // Decoding 200 KB a second is slow even for a small processor.
        try timeLimit ?? MediaFiles.environmentLimit() ?? .seconds(60 + file.size / 200_000)
    }
}
