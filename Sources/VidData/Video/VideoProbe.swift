import VidSystem
import VidTensor

/// A file's first video stream, as ffprobe describes it.
package struct VideoInfo: Sendable, Equatable {
    package var rows: Int
    package var columns: Int
    /// The number of packets (one per frame in almost every file), or of decoded frames if these were counted.
    package var frames: Int
    /// The mean rate; 0 = unknown.
    package var framesPerSecond: Double
    package var codec: String
}

extension FFmpeg {
    /// Opens `path` and counts the frames of its first video stream that is not a cover picture.
    ///
    /// By default it counts packets, which is fast because nothing is decoded; `exactly` decodes all frames. Throws for a file that
    /// is cut off, that is, whose container lists more frames than it holds or that ends in the middle of a frame.
    package func probe(_ path: String, exactly: Bool = false) async throws -> VideoInfo {
        let size = try RegularFile(path).size
        guard size > 0 else { throw VidclassError.file(path, "the file is empty") }
        // Counting packets reads the whole file (20 MB a second is slow for a disk); decoding time is bounded by the size, too.
        let limit = timeLimit ?? .seconds(60 + size / (exactly ? 200_000 : 20_000_000))
        let (values, errorText) = try await streamValues(
            path, "video", FFmpeg.videoContainers,
            [
                exactly ? "-count_frames" : "-count_packets", "-select_streams", "V:0", "-show_entries",
                "stream=codec_name,width,height,avg_frame_rate,r_frame_rate,nb_frames,nb_read_packets,nb_read_frames",
            ], limit: limit)
        guard let codec = values["codec_name"] else {
            let reason = errorText.isEmpty ? "only sound or data" : FFmpeg.reason(errorText, path: path)
            throw VidclassError.file(path, "has no video stream (\(reason))")
        }
        guard let columns = values["width"].flatMap({ Int($0) }), let rows = values["height"].flatMap({ Int($0) }),
            columns > 0, rows > 0
        else { throw VidclassError.file(path, "its video stream (\(codec)) does not give the size of its pictures") }
        guard columns <= 64 * rows, rows <= 64 * columns, columns * rows <= FFmpeg.maximumPixels else {
            throw VidclassError.file(
                path,
                "expected pictures of at most \(FFmpeg.maximumPixels) pixels with sides of at most 1 to 64, found \(columns)x\(rows)")
        }
        guard let frames = values[exactly ? "nb_read_frames" : "nb_read_packets"].flatMap({ Int($0) }), frames > 0 else {
            throw VidclassError.file(path, "its video stream (\(codec)) has no frames")
        }
        let rate = FFmpeg.rate(values["avg_frame_rate"]) ?? FFmpeg.rate(values["r_frame_rate"]) ?? 0
        let declared = values["nb_frames"].flatMap { Int($0) }
        let isCut = errorText.contains("partial file") || errorText.contains("File ended prematurely")
        if !exactly, isCut || declared.map({ $0 - frames > $0 / 20 }) == true {
            let length = isCut ? 0 : try await shownFrames(path, rate: rate, limit: limit)
            guard let declared, declared - length <= declared / 20 else {
                let listed = declared.map { "its container lists \($0) frames" } ?? "it ends in the middle of a frame"
                throw VidclassError.file(path, "cut off: \(listed), \(frames) could be read")
            }
        }
        return VideoInfo(rows: rows, columns: columns, frames: frames, framesPerSecond: rate, codec: String(codec).printable)
    }

    /// The number of frames, at `rate` a second, up to the time of the last packet: an AVI's list also counts dropped frames, which
    /// have no packets.
    private func shownFrames(_ path: String, rate: Double, limit: Duration) async throws -> Int {
        let (outcome, text) = try await ffprobe(
            path, FFmpeg.videoContainers, ["-select_streams", "V:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"], limit: limit,
            outputLimit: 64 << 20)
        guard outcome.status == 0, !outcome.timedOut else { return 0 }
        let last = text.split(whereSeparator: { $0 == "\n" || $0 == "," }).compactMap { Double($0) }.filter(\.isFinite).max() ?? 0
        return Int(min((last * rate).rounded(), 1e12)) + 1
    }

    /// Parses a rate such as `30000/1001`; nil for `0/0`.
    private static func rate(_ text: Substring?) -> Double? {
        guard let parts = text?.split(separator: "/"), parts.count == 2, let over = Double(parts[0]), let under = Double(parts[1]),
            over > 0, under > 0
        else { return nil }
        return over / under
    }
}
