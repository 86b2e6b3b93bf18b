import VidTensor

/// What a clip file says of itself, without its frames being read.
package struct ClipInformation: Sendable, Equatable {
    /// `bin`, `npy`, or a video's codec.
    package let format: String
    /// `uint8` or `float32`.
    package let element: String
    package let frames: Int
    package let channels: Int
    package let rows: Int
    package let columns: Int
    /// 0 = unknown.
    package let framesPerSecond: Double

    /// Reads the header of a `.bin` or `.npy` file, or asks ffprobe about a video.
    package static func read(_ path: String, finder: FFmpegFinder = FFmpegFinder()) async throws -> ClipInformation {
        switch ClipFormat(path: path) {
        case .bin: return ClipInformation("bin", try ClipFile.open(path))
        case .npy: return ClipInformation("npy", try NumpyFile.open(path))
        case .video:
            let video = try await finder.ffmpeg().probe(path)
            return ClipInformation(
                format: video.codec, element: ClipElement.uint8.name, frames: video.frames, channels: 3, rows: video.rows,
                columns: video.columns, framesPerSecond: video.framesPerSecond)
        case nil:
            _ = try SystemCall.status(path)
            throw VidclassError.file(
                path, "is no clip, checkpoint, weights file or config; expected .bin, .npy, a video, .safetensors, .h5 or .json")
        }
    }

    private init(_ format: String, _ file: ArrayFile) {
        self.init(
            format: format, element: file.element.name, frames: file.shape.frames, channels: file.shape.channels,
            rows: file.shape.rows, columns: file.shape.columns, framesPerSecond: Double(file.framesPerSecond))
    }

    private init(
        format: String, element: String, frames: Int, channels: Int, rows: Int, columns: Int, framesPerSecond: Double
    ) {
        self.format = format
        self.element = element
        self.frames = frames
        self.channels = channels
        self.rows = rows
        self.columns = columns
        self.framesPerSecond = framesPerSecond
    }
}
