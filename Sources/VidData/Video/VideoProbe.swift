import VidSystem
import VidTensor

/// What ffprobe says about the first video stream of a file.
package struct VideoInfo: Sendable, Equatable {
    package var rows: Int
    package var columns: Int
    /// Packets of the stream (one a frame in almost every file), or frames decoded where these were counted.
    package var frames: Int
    /// Mean rate; 0 = unknown.
    package var framesPerSecond: Double
    package var codec: String
}

extension FFmpeg {
    /// Opens `path` and counts the frames of its first video stream (cover pictures apart).
    ///
    /// By packets, without decoding, which is fast; or, `exactly`, by decoding them all. A file that is cut off is
    /// refused: one whose container lists more frames than it holds, or that ends in the middle of one.
    package func probe(_ path: String, exactly: Bool = false) async throws -> VideoInfo {
        let size = try RegularFile(path).size
        guard size > 0 else { throw VidclassError.file(path, "the file is empty") }
        // Counting packets reads the file through: 20 MB a second is slow for a disk. Decoding is bounded by its bytes, too.
        let limit = timeLimit ?? .seconds(60 + size / (exactly ? 200_000 : 20_000_000))
        let child = ChildProcess(
            executable: ffprobePath,
            arguments: ["-v", "error"] + FFmpeg.inputArguments(FFmpeg.videoContainers) + [
                exactly ? "-count_frames" : "-count_packets", "-select_streams", "V:0", "-show_entries",
                "stream=codec_name,width,height,avg_frame_rate,r_frame_rate,nb_frames,nb_read_packets,nb_read_frames",
                "-of", "default=noprint_wrappers=1", "-i", FFmpeg.address(path),
            ], timeLimit: limit, outputLimit: 1 << 20)
        let (outcome, text) = try await child.text()
        guard !outcome.timedOut else {
            throw VidclassError.file(path, "ffprobe was stopped after \(limit.components.seconds) seconds: it did not come to an end")
        }
        guard outcome.status == 0 else {
            throw VidclassError.file(path, "no video that ffmpeg can read: \(FFmpeg.reason(outcome.errorText, path: path))")
        }
        let values = FFmpeg.values(text)
        guard let codec = values["codec_name"] else {
            let reason = outcome.errorText.isEmpty ? "only sound or data" : FFmpeg.reason(outcome.errorText, path: path)
            throw VidclassError.file(path, "has no video stream (\(reason))")
        }
        guard let columns = values["width"].flatMap({ Int($0) }), let rows = values["height"].flatMap({ Int($0) }),
            columns > 0, rows > 0
        else { throw VidclassError.file(path, "its video stream (\(codec)) says no size of its pictures") }
        guard columns <= 64 * rows, rows <= 64 * columns, columns * rows <= FFmpeg.maximumPixels else {
            throw VidclassError.file(
                path, "pictures of \(columns)x\(rows) are not taken: at most \(FFmpeg.maximumPixels) pixels, sides of at most 1 to 64")
        }
        guard let frames = values[exactly ? "nb_read_frames" : "nb_read_packets"].flatMap({ Int($0) }), frames > 0 else {
            throw VidclassError.file(path, "its video stream (\(codec)) has no frames")
        }
        let rate = FFmpeg.rate(values["avg_frame_rate"]) ?? FFmpeg.rate(values["r_frame_rate"]) ?? 0
        let declared = values["nb_frames"].flatMap { Int($0) }
        let isCut = outcome.errorText.contains("partial file") || outcome.errorText.contains("File ended prematurely")
        if !exactly, isCut || declared.map({ $0 - frames > $0 / 20 }) == true {
            let length = isCut ? 0 : try await shownFrames(path, rate: rate, limit: limit)
            guard let declared, declared - length <= declared / 20 else {
                let listed = declared.map { "its container lists \($0) frames" } ?? "it ends in the middle of a frame"
                throw VidclassError.file(path, "cut off: \(listed), \(frames) could be read")
            }
        }
        return VideoInfo(rows: rows, columns: columns, frames: frames, framesPerSecond: rate, codec: String(codec).printable)
    }

    /// The frames that the video's time holds up to its last packet, at `rate` a second: an AVI's list counts frames that were
    /// dropped, too, for which there are no packets.
    private func shownFrames(_ path: String, rate: Double, limit: Duration) async throws -> Int {
        let child = ChildProcess(
            executable: ffprobePath,
            arguments: ["-v", "error"] + FFmpeg.inputArguments(FFmpeg.videoContainers) + [
                "-select_streams", "V:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0", "-i", FFmpeg.address(path),
            ], timeLimit: limit, outputLimit: 64 << 20)
        let (outcome, text) = try await child.text()
        guard outcome.status == 0, !outcome.timedOut else { return 0 }
        let last = text.split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }.filter(\.isFinite).max() ?? 0
        return Int(min((last * rate).rounded(), 1e12)) + 1
    }

    /// `30000/1001`; nil for `0/0`.
    private static func rate(_ text: Substring?) -> Double? {
        guard let parts = text?.split(separator: "/"), parts.count == 2, let over = Double(parts[0]), let under = Double(parts[1]),
            over > 0, under > 0
        else { return nil }
        return over / under
    }
}
