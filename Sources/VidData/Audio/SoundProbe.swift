import VidSystem
import VidTensor

/// A file's first sound stream, as its container describes it.
package struct SoundInfo: Sendable, Equatable {
    package var codec: String
    /// Stored samples per second.
    package var sampleRate: Int
    package var channels: Int
    /// 0 = unknown.
    package var seconds: Double
    /// Whether the container lists `seconds`; false for an estimate.
    package var isListed: Bool
}

extension MediaFiles {
    /// Opens the sound at `path` and reads its format. Throws for a file that is cut off if its container shows that.
    package func sound(_ path: String) async throws -> SoundInfo {
        try await withSound(path) { _, sound in sound }
    }

    /// Lets `body` work with a reader that has the sound at `path` open.
    nonisolated(nonsending) func withSound<Result>(
        _ path: String, _ body: nonisolated(nonsending) (ReaderSession, SoundInfo) async throws -> Result
    ) async throws -> Result {
        let file = try RegularFile(path)
        if file.size > 0, let complaint = try SoundCut.complaint(file) { throw VidclassError.file(path, "cut off: \(complaint)") }
        return try await with(path, isSound: true) { session, stream in
            guard stream.sampleRate > 0, stream.channels > 0 else {
                throw VidclassError.file(path, "no sound that FFmpeg can read: it looks like \(stream.codec), but contains none")
            }
            guard stream.channels <= MediaFiles.maximumChannels else {
                throw VidclassError.file(path, "expected at most \(MediaFiles.maximumChannels) channels, found \(stream.channels)")
            }
            let sound = SoundInfo(
                codec: stream.codec, sampleRate: stream.sampleRate, channels: stream.channels, seconds: stream.seconds,
                isListed: stream.secondsAreListed)
            return try await body(session, sound)
        }
    }

    /// The largest number of channels that a sound may have.
    private static let maximumChannels = 64
}
