import VidSystem
import VidTensor

/// A file's first sound stream, as ffprobe describes it.
package struct SoundInfo: Sendable, Equatable {
    package var codec: String
    /// Stored samples per second.
    package var sampleRate: Int
    package var channels: Int
    /// 0 = unknown.
    package var seconds: Double
    /// Whether the container lists `seconds`; false for ffprobe's estimate.
    package var isListed: Bool
}

extension FFmpeg {
    /// ffmpeg's names of the sound containers that may be opened.
    static let soundContainers = ["wav", "flac", "mp3", "ogg", "mov", "aac", "aiff", "matroska", "webm"]

    /// The largest number of channels that a sound may have.
    static let maximumSoundChannels = 64

    /// Opens the sound at `path` and reads its format. Throws for a file that is cut off if its container shows that.
    package func probeSound(_ path: String) async throws -> SoundInfo {
        let file = try RegularFile(path)
        guard file.size > 0 else { throw VidclassError.file(path, "the file is empty") }
        if let complaint = try SoundCut.complaint(file) { throw VidclassError.file(path, "cut off: \(complaint)") }
        let limit = timeLimit ?? .seconds(60 + file.size / 20_000_000)
        // With warnings, because one of them tells that a duration is an estimate.
        let (values, errorText) = try await streamValues(
            path, "sound", FFmpeg.soundContainers,
            ["-select_streams", "a:0", "-show_entries", "stream=codec_name,sample_rate,channels,duration"], verbosity: "warning",
            limit: limit)
        guard let codec = values["codec_name"] else { throw VidclassError.file(path, "has no sound (only pictures or data)") }
        guard let rate = values["sample_rate"].flatMap({ Int($0) }), let channels = values["channels"].flatMap({ Int($0) }), rate > 0,
            channels > 0
        else { throw VidclassError.file(path, "ffmpeg found no readable sound: it looks like \(codec), but contains none") }
        guard channels <= FFmpeg.maximumSoundChannels else {
            throw VidclassError.file(path, "expected at most \(FFmpeg.maximumSoundChannels) channels, found \(channels)")
        }
        let seconds = values["duration"].flatMap { Double($0) } ?? 0
        return SoundInfo(
            codec: String(codec).printable, sampleRate: rate, channels: channels, seconds: seconds.isFinite ? max(0, seconds) : 0,
            isListed: seconds > 0 && !errorText.contains("Estimating duration"))
    }
}
