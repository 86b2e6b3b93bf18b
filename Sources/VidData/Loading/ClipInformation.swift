import VidConfig
import VidSystem
import VidTensor

/// A clip file's description of itself, read without its frames.
package struct ClipInformation: Sendable, Equatable {
    /// `bin`, `npy`, or the codec of a video, of the first picture of a folder, or of a sound.
    package let format: String
    /// `uint8` or `float32`.
    package let element: String
    package let times: FrameTimes
    package let channels: Int
    package let rows: Int
    package let columns: Int
    /// The properties of a sound, whose frames are those of the spectrogram that was passed to `read`; nil for other clips.
    package var sound: SoundInfo?
    /// A video as its container describes it, or a folder of pictures; nil for other clips.
    package var video: VideoInfo?

    package var frames: Int { times.count }
    /// The mean rate; 0 = unknown.
    package var framesPerSecond: Double { times.rate }

    /// Reads the header of a `.bin` or `.npy` file, or asks a reader about a video, the first picture of a folder, or a sound. A sound is described by the frames of its
    /// `spectrogram`, whose number follows from the duration that the container gives.
    package static func read(
        _ path: String, files: MediaFiles = MediaFiles(),
        spectrogram: SpectrogramFrames = SpectrogramFrames(AudioConfiguration(), rows: 64, columns: 64)
    ) async throws -> ClipInformation {
        let notAClip = "not a clip, checkpoint, weights file or config; expected \(ClipFormat.expected), .safetensors, .h5 or .json"
        switch try ClipFormat(existing: path, notAClip: notAClip) {
        case .bin: return ClipInformation("bin", try ClipFile.open(path))
        case .npy: return ClipInformation("npy", try NumpyFile.open(path))
        case .video, .pictures:
            let video = try await VideoDecoder(files: files).information(path)
            return ClipInformation(
                format: video.codec, element: ClipElement.uint8.name, times: video.times, channels: 3, rows: video.rows,
                columns: video.columns, video: video)
        case .sound:
            let sound = try await files.sound(path)
            return ClipInformation(
                format: sound.codec, element: ClipElement.float32.name,
                times: FrameTimes(count: spectrogram.frames(ofSeconds: sound.seconds), rate: spectrogram.framesPerSecond),
                channels: spectrogram.channels, rows: spectrogram.rows, columns: spectrogram.columns, sound: sound)
        }
    }
}

extension ClipInformation {
    fileprivate init(_ format: String, _ file: ArrayFile) {
        self.init(
            format: format, element: file.element.name, times: file.times, channels: file.shape.channels, rows: file.shape.rows,
            columns: file.shape.columns)
    }

}
