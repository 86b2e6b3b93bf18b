import VidSystem
import VidTensor

/// A file's video stream, as its container describes it, and the frames that it shows; or a folder of pictures as a video.
package struct VideoInfo: Sendable, Equatable {
    /// The short name of the container, such as `mov`.
    package var container: String
    package var codec: String
    /// Of a picture as it is shown: upright, with square pixels.
    package var rows: Int
    package var columns: Int
    /// The number of video streams, without cover pictures.
    package var streams: Int
    /// The place of this stream among them, from 0.
    package var chosen: Int
    package var times: FrameTimes
    /// For each frame, whether decoding can begin with it.
    package var keys: [Bool]
    /// Whether the frames are known by decoding all of them, and not by their packets.
    package var isExact: Bool
    /// Its damage, as far as it was read; nil if there is none.
    package var damage: VideoDamage?
    /// Why the file cannot be used as a whole: its container lists many more frames than it holds. Nil if it can.
    package var fault: VidclassError?
    /// Whether decoding the chosen frames met errors; if `isExact`, decoding any frames.
    package var metErrors = false
    /// The number of errors of the decoder among them.
    package var decodingErrors = 0

    /// The `container` of a folder of pictures.
    package static let folderContainer = "pictures"

    package var frames: Int { times.count }
    /// The mean rate; 0 = unknown.
    package var framesPerSecond: Double { times.rate }
}

/// The damage of a video that can still be read.
package struct VideoDamage: Sendable, Equatable {
    package var decodingErrors: Int
    /// The number of frames that the file announces and that could not be decoded; the video's frames are without them.
    package var missingFrames: Int
    /// The number of bytes that belong to no frame.
    package var skippedBytes: Int
    /// Whether the file ends before its container does: a recording that was not finished, or a copy that was cut.
    package var endsEarly: Bool

    package init(decodingErrors: Int = 0, missingFrames: Int = 0, skippedBytes: Int = 0, endsEarly: Bool = false) {
        self.decodingErrors = decodingErrors
        self.missingFrames = missingFrames
        self.skippedBytes = skippedBytes
        self.endsEarly = endsEarly
    }

    /// The members of an object of a JSON document.
    package var members: [(String, JSONNode)] {
        [
            ("decoding_errors", .integer(decodingErrors)), ("missing_frames", .integer(missingFrames)),
            ("skipped_bytes", .integer(skippedBytes)), ("ends_early", .bool(endsEarly)),
        ]
    }

    /// "93 decoding errors, 13 of 200 frames missing" of a video with the other 187 `frames`.
    package func text(frames: Int) -> String {
        var parts: [String] = []
        if decodingErrors > 0 { parts.append("\(decodingErrors) decoding error\(decodingErrors == 1 ? "" : "s")") }
        if missingFrames > 0 { parts.append("\(missingFrames) of \(frames + missingFrames) frames missing") }
        if skippedBytes > 0 { parts.append("\(skippedBytes) byte\(skippedBytes == 1 ? "" : "s") skipped") }
        if endsEarly { parts.append("ends early") }
        return parts.isEmpty ? "damaged" : parts.joined(separator: ", ")
    }
}

extension VideoInfo {
    /// - Parameter path: for its `fault`.
    package init(_ stream: MediaStream, _ list: FrameList, ticks: [Int64], keys: [Bool], path: String) {
        let lost = stream.listedFrames - list.count
        self.init(
            container: stream.container, codec: stream.codec, rows: stream.rows, columns: stream.columns, streams: stream.streams,
            chosen: stream.chosen,
            times: FrameTimes(
                ticks: ticks, timeBase: (list.over, list.under), lastDuration: Int64(list.lastDuration), statedRate: stream.rate),
            keys: keys, isExact: list.isExact,
            damage: list.isCut ? VideoDamage(missingFrames: max(0, lost), endsEarly: true) : nil)
        // Less is lost where a recording was stopped.
        if list.isCut, stream.listedFrames > 0, lost > stream.listedFrames / 20 {
            fault = .file(path, "cut off: its container lists \(stream.listedFrames) frames, \(list.count) could be read")
        }
    }
}
