import VidConfig
import VidSystem
import VidTensor

/// A clip file's description of itself, read without its frames.
package struct ClipInformation: Sendable, Equatable {
    /// `bin`, `npy`, or the codec of a video, of the first picture of a folder, or of a sound.
    package let format: String
    /// `uint8` or `float32`, or for vectors also `float64`.
    package let element: String
    /// The frames of the clip: of a part of a file, if one was named.
    package let clipFrames: ClipFrames
    package let channels: Int
    package let rows: Int
    package let columns: Int
    /// The properties of a sound, whose frames are those of the spectrogram that was passed to `read`; nil for other clips.
    package var sound: SoundInfo?
    /// Numbers in each vector of a clip of vectors over time; nil for frames of pixels.
    package var features: Int?
    /// A video as its container describes it, or a folder of pictures; nil for other clips.
    package var video: VideoInfo?

    package var times: FrameTimes { clipFrames.times }
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
        let clip = try ClipPath(checking: path)
        switch try ClipFormat(existing: clip.file, notAClip: notAClip) {
        case .bin: return try ClipInformation("bin", ClipFile.open(clip.file), clip)
        case .npy: return try ClipInformation("npy", NumpyFile.open(clip.file), clip)
        case .video, .pictures:
            var video = try await VideoDecoder(files: files).information(path)
            // Damage at the end of the file is not the segment's.
            if clip.segment != nil { video.damage = nil }
            return ClipInformation(
                format: video.codec, element: ClipElement.uint8.name, clipFrames: try ClipFrames(clip, of: video.times), channels: 3,
                rows: video.rows,
                columns: video.columns, video: video)
        case .sound:
            var sound = try await files.sound(clip.file)
            let part = try SoundPart(clip, seconds: clip.segment == nil || sound.seconds > 0 ? sound.seconds : .infinity, spectrogram)
            if part.seconds.isFinite { sound.seconds = part.seconds }
            return ClipInformation(
                format: sound.codec, element: ClipElement.float32.name,
                clipFrames: ClipFrames(
                    FrameTimes(
                        count: spectrogram.frames(ofSeconds: part.seconds.isFinite ? part.seconds : 0), rate: spectrogram.framesPerSecond),
                    from: part.start),
                channels: spectrogram.channels, rows: spectrogram.rows, columns: spectrogram.columns, sound: sound)
        }
    }
}

extension ClipInformation {
    fileprivate init(_ format: String, _ file: ArrayFile, _ clip: ClipPath) throws {
        self.init(
            format: format, element: file.coding, clipFrames: try ClipFrames(clip, of: file.times), channels: file.shape.channels,
            rows: file.shape.rows, columns: file.shape.columns)
        if file.isVectors { features = file.shape.columns }
    }
}
