import VidSystem
import VidTensor

/// What ffprobe says about the first sound stream of a file.
package struct SoundInfo: Sendable, Equatable {
    package var codec: String
    /// Samples a second, as they are stored.
    package var sampleRate: Int
    package var channels: Int
    /// 0 = unknown.
    package var seconds: Double
    /// Whether `seconds` is what the container lists, and no estimate.
    package var isListed: Bool
}

extension FFmpeg {
    /// ffmpeg's names of the containers that sound is read from.
    static let soundContainers = ["wav", "flac", "mp3", "ogg", "mov", "aac", "aiff", "matroska", "webm"]

    /// The most channels of a sound.
    static let maximumSoundChannels = 64

    /// Opens the sound at `path` and asks for its format. A file that is cut off is refused where its container shows that.
    package func probeSound(_ path: String) async throws -> SoundInfo {
        let file = try RegularFile(path)
        guard file.size > 0 else { throw VidclassError.file(path, "the file is empty") }
        if let complaint = try SoundCut.complaint(file) { throw VidclassError.file(path, "cut off: \(complaint)") }
        let limit = timeLimit ?? .seconds(60 + file.size / 20_000_000)
        // Warnings, too: one of them says that a duration is an estimate.
        let child = ChildProcess(
            executable: ffprobePath,
            arguments: ["-v", "warning"] + FFmpeg.inputArguments(FFmpeg.soundContainers) + [
                "-select_streams", "a:0", "-show_entries", "stream=codec_name,sample_rate,channels,duration", "-of",
                "default=noprint_wrappers=1", "-i", FFmpeg.address(path),
            ], timeLimit: limit, outputLimit: 1 << 20)
        let (outcome, text) = try await child.text()
        guard !outcome.timedOut else {
            throw VidclassError.file(path, "ffprobe was stopped after \(limit.components.seconds) seconds: it did not come to an end")
        }
        guard outcome.status == 0 else {
            throw VidclassError.file(path, "no sound that ffmpeg can read: \(FFmpeg.reason(outcome.errorText, path: path))")
        }
        let values = FFmpeg.values(text)
        guard let codec = values["codec_name"] else { throw VidclassError.file(path, "has no sound (only pictures or data)") }
        guard let rate = values["sample_rate"].flatMap({ Int($0) }), let channels = values["channels"].flatMap({ Int($0) }), rate > 0,
            channels > 0
        else { throw VidclassError.file(path, "no sound that ffmpeg can read: it looks like \(codec), but holds none") }
        guard channels <= FFmpeg.maximumSoundChannels else {
            throw VidclassError.file(path, "has \(channels) channels; at most \(FFmpeg.maximumSoundChannels) are taken")
        }
        let seconds = values["duration"].flatMap { Double($0) } ?? 0
        return SoundInfo(
            codec: String(codec).printable, sampleRate: rate, channels: channels, seconds: seconds.isFinite ? max(0, seconds) : 0,
            isListed: seconds > 0 && !outcome.errorText.contains("Estimating duration"))
    }
}
