import VidSystem

/// Short H.264 videos of `SyntheticClips`, which the program ffmpeg makes, for measurements.
package enum SyntheticVideos {
    /// Two seconds of 320 x 240 at 25 frames a second.
    package static let (frames, rows, columns, framesPerSecond) = (50, 240, 320, 25.0)
    /// Videos with pictures of their own; others are copies of these in files of their own.
    private static let mostDifferent = 8

    /// Writes `count` videos into the folder `path`, and returns their paths.
    ///
    /// - Throws: `.missingInput` without ffmpeg, `.inputOutput` if they cannot be written.
    package static func write(_ count: Int, into path: String) async throws -> [String] {
        let clips = try SyntheticClips(classes: SyntheticClips.labels.count, frames: frames, rows: rows, columns: columns)
        let paths = (0..<count).map { PathText.join(path, "\($0).mp4") }
        for (number, path) in paths.enumerated() {
            if number < mostDifferent {
                try await AnimationWriter().write(
                    pictures(clips.clip(label: number, number: 0)), rows: rows, columns: columns, framesPerSecond: framesPerSecond, to: path
                )
            } else {
                let bytes = try RegularFile.contents(paths[number % mostDifferent], limit: 1 << 30)
                try AtomicFile.write(to: path) { try $0.write(bytes) }
            }
        }
        return paths
    }

    /// The frames of a clip of bytes as (rows, columns, 3).
    private static func pictures(_ clip: Clip) -> [[UInt8]] {
        clip.withUnsafeBytes { bytes in
            (0..<frames).map { frame in
                let planes = UnsafeRawBufferPointer(rebasing: bytes[frame * clip.shape.frameCount..<(frame + 1) * clip.shape.frameCount])
                return [UInt8](unsafeUninitializedCapacity: planes.count) { picture, count in
                    for place in 0..<rows * columns {
                        for plane in 0..<3 { picture[3 * place + plane] = planes[plane * rows * columns + place] }
                    }
                    count = planes.count
                }
            }
        }
    }
}
