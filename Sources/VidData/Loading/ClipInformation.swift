import VidConfig
import VidSystem
import VidTensor

/// A clip file's description of itself, read without its frames.
package struct ClipInformation: Sendable, Equatable {
    /// `bin`, `npy`, or the codec of a video or sound.
    package let format: String
    /// `uint8` or `float32`.
    package let element: String
    package let frames: Int
    package let channels: Int
    package let rows: Int
    package let columns: Int
    /// 0 = unknown.
    package let framesPerSecond: Double
    /// The properties of a sound, whose frames are those of the spectrogram that was passed to `read`; nil for other clips.
    package var sound: SoundInfo?

    /// Reads the header of a `.bin` or `.npy` file, or runs ffprobe on a video or sound. A sound is described by the frames of its
    /// `spectrogram`, whose number follows from the duration that the container gives.
    package static func read(
        _ path: String, finder: FFmpegFinder = FFmpegFinder(),
        spectrogram: SpectrogramFrames = SpectrogramFrames(AudioConfiguration(), rows: 64, columns: 64)
    ) async throws -> ClipInformation {
        switch ClipFormat(path: path) {
        case .bin: return ClipInformation("bin", try ClipFile.open(path))
        case .npy: return ClipInformation("npy", try NumpyFile.open(path))
        case .video:
            let video = try await finder.ffmpeg().probe(path)
            return ClipInformation(
                format: video.codec, element: ClipElement.uint8.name, frames: video.frames, channels: 3, rows: video.rows,
                columns: video.columns, framesPerSecond: video.framesPerSecond)
        case .sound:
            let sound = try await finder.ffmpeg().probeSound(path)
            return ClipInformation(
                format: sound.codec, element: ClipElement.float32.name, frames: spectrogram.frames(ofSeconds: sound.seconds),
                channels: spectrogram.channels, rows: spectrogram.rows, columns: spectrogram.columns,
                framesPerSecond: spectrogram.framesPerSecond, sound: sound)
        case nil:
            _ = try SystemCall.status(path)
            throw VidclassError.file(
                path,
                "not a clip, checkpoint, weights file or config; expected .bin, .npy, a video, a sound, .safetensors, .h5 or .json")
        }
    }
}

extension ClipInformation {
    fileprivate init(_ format: String, _ file: ArrayFile) {
        self.init(
            format: format, element: file.element.name, frames: file.shape.frames, channels: file.shape.channels,
            rows: file.shape.rows, columns: file.shape.columns, framesPerSecond: Double(file.framesPerSecond))
    }

}
