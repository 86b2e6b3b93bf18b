import VidConfig
import VidSystem
import VidTensor

/// What a clip file says of itself, without its frames being read.
package struct ClipInformation: Sendable, Equatable {
    /// `bin`, `npy`, or a video's or sound's codec.
    package let format: String
    /// `uint8` or `float32`.
    package let element: String
    package let frames: Int
    package let channels: Int
    package let rows: Int
    package let columns: Int
    /// 0 = unknown.
    package let framesPerSecond: Double
    /// Of a sound, whose frames are then those of the spectrogram that `read` was asked for.
    package let sound: SoundInfo?

    /// The mel bands and the steps of a frame of a sound's spectrogram where nothing else is said.
    package static let spectrogramSide = 64

    /// Reads the header of a `.bin` or `.npy` file, or asks ffprobe about a video or sound. `spectrogram` is what a sound is
    /// to become; the number of its frames follows from the duration that its container gives.
    package static func read(
        _ path: String, finder: FFmpegFinder = FFmpegFinder(),
        spectrogram: SpectrogramFrames = SpectrogramFrames(AudioConfiguration(), rows: spectrogramSide, columns: spectrogramSide)
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
                path, "is no clip, checkpoint, weights file or config; expected .bin, .npy, a video, a sound, .safetensors, .h5 or .json")
        }
    }

    private init(_ format: String, _ file: ArrayFile) {
        self.init(
            format: format, element: file.element.name, frames: file.shape.frames, channels: file.shape.channels,
            rows: file.shape.rows, columns: file.shape.columns, framesPerSecond: Double(file.framesPerSecond))
    }

    private init(
        format: String, element: String, frames: Int, channels: Int, rows: Int, columns: Int, framesPerSecond: Double,
        sound: SoundInfo? = nil
    ) {
        self.format = format
        self.element = element
        self.frames = frames
        self.channels = channels
        self.rows = rows
        self.columns = columns
        self.framesPerSecond = framesPerSecond
        self.sound = sound
    }
}
