import VidSystem
import VidTensor

/// Writes a sequence of pictures as an animation file with ffmpeg.
package struct AnimationWriter: Sendable {
    /// The format by the file's extension. GIF plays everywhere; WebP and APNG keep all colours; MP4 is smallest.
    package enum Format: String, CaseIterable, Sendable {
        case gif, webp, apng, mp4

        /// Nil for any other extension.
        package init?(path: String) { self.init(rawValue: PathText.fileExtension(path)) }
    }

    private let find: @Sendable () async throws -> FFmpeg

    package init(_ find: @escaping @Sendable () async throws -> FFmpeg = { try await FFmpeg.locate() }) { self.find = find }

    /// Writes `frames`, each (rows, columns, 3) of red, green, blue, to `path` atomically, as `AtomicFile` does.
    ///
    /// - Throws: `.usage` for an unknown extension, `.missingInput` without ffmpeg, `.inputOutput` if the file cannot be written.
    package func write(
        _ frames: [[UInt8]], rows: Int, columns: Int, framesPerSecond: Double, to path: String, followingLink: Bool = false
    ) async throws {
        precondition(
            !frames.isEmpty && frames.allSatisfy { $0.count == rows * columns * 3 } && framesPerSecond > 0,
            "\(frames.count) frames of \(rows) x \(columns) at \(framesPerSecond)")
        guard let format = Format(path: path) else {
            let known = Format.allCases.map { "." + $0.rawValue }.joined(separator: ", ")
            throw VidclassError.file(path, "expected an animation's name to end in \(known)", kind: .usage)
        }
        let ffmpeg: FFmpeg
        do {
            ffmpeg = try await find()
        } catch let error as VidclassError {
            throw VidclassError.file(path, "writing an animation needs ffmpeg: \(error.message)", kind: error.kind)
        }
        let file = try AtomicFile(path, followingLink: followingLink)
        // The pictures go to a temporary file next to it that is never committed, and so is removed whatever happens.
        let pictures = try AtomicFile(path)
        defer { withExtendedLifetime(pictures) {} }
        for frame in frames { try pictures.write(frame) }
        let limit = Duration.seconds(60 + frames.count * max(1, rows * columns / 500_000))
        var child = ChildProcess(
            executable: ffmpeg.path,
            arguments: ["-nostdin", "-y", "-v", "error", "-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", "\(columns)x\(rows)"]
                + ["-framerate", AnimationWriter.rate(framesPerSecond), "-i", FFmpeg.address(pictures.temporary)]
                + AnimationWriter.arguments(format)
                + ["-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact", FFmpeg.address(file.temporary)],
            timeLimit: limit, outputLimit: 1 << 20)
        child.fileLimit = max(1 << 26, 2 * pictures.size)
        let outcome = try await child.run { _ in }
        guard !outcome.timedOut else {
            throw VidclassError.file(
                path, "ffmpeg was stopped after \(limit.components.seconds) seconds: it did not finish", kind: .inputOutput)
        }
        guard outcome.status == 0 else {
            throw VidclassError.file(
                path, "ffmpeg cannot write it: \(FFmpeg.reason(outcome.errorText, path: file.temporary))", kind: .inputOutput)
        }
        try file.commit()
    }

    /// The rate in ffmpeg's syntax, in thousandths and without an exponent.
    private static func rate(_ framesPerSecond: Double) -> String { "\(max(1, Int((framesPerSecond * 1000).rounded())))/1000" }

    private static func arguments(_ format: Format) -> [String] {
        switch format {
        case .gif:
            // One palette for the whole animation.
            ["-filter_complex", "[0:v]split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=bayer:bayer_scale=4"]
                + ["-loop", "0", "-f", "gif"]
        case .webp: ["-c:v", "libwebp_anim", "-quality", "90", "-loop", "0", "-f", "webp"]
        case .apng: ["-c:v", "apng", "-plays", "0", "-f", "apng"]
        case .mp4:
            // Players need even sides and 4:2:0 chroma.
            ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:0:0:white,format=yuv420p", "-c:v", "libx264", "-crf", "16", "-movflags", "+faststart"]
                + ["-f", "mp4"]
        }
    }
}
