import VidData
import VidSystem

/// The messages of a reader, which is not trusted, to the program, and those of the program to it.
///
/// The first byte of an input says which message the rest is. A message is refused, or its values are in their ranges, have the same
/// bytes again, and can be used.
enum FuzzedMessage: UInt8, CaseIterable {
    case head, failure, stream, frames, damage, opening, runs, decoding, listening, showing

    /// Throws if a list of frames is refused as damaged.
    static func check(_ input: [UInt8]) throws {
        guard let first = input.first, let message = FuzzedMessage(rawValue: first % UInt8(allCases.count)) else { return }
        let bytes = Array(input.dropFirst())
        switch message {
        case .head: if bytes.count == ReaderMessage.size { requireSame(bytes, ReaderMessage(bytes)?.bytes) }
        case .failure: checkFailure(bytes)
        case .stream: if let stream = MediaStream(bytes) { precondition(stream.bytes.count == bytes.count, "\(stream)") }
        case .frames: try checkFrames(bytes)
        case .damage:
            guard let damage = MediaDamage(bytes) else { return }
            requireSame(bytes, damage.bytes)
        case .opening: requireSame(bytes, MediaOpening(bytes)?.bytes)
        case .runs: requireSame(bytes, FrameRun.all(bytes).map { $0.flatMap(\.bytes) })
        // Flags are 1 or anything else.
        case .decoding: precondition(MediaDecoding(bytes).map { MediaDecoding($0.bytes) == $0 } ?? true, "\(bytes)")
        case .showing: requireSame(bytes, PictureShowing(bytes)?.bytes)
        case .listening: requireSame(bytes, MediaListening(bytes)?.bytes)
        }
    }

    private static func requireSame(_ bytes: [UInt8], _ again: [UInt8]?) {
        precondition(again == nil || again == bytes, "\(bytes) became \(again ?? [])")
    }

    private static func checkFailure(_ bytes: [UInt8]) {
        guard let error = ReaderFailure.error(bytes, about: "a\u{1b}.mp4") else { return }
        let lines = [error.message] + error.advice
        precondition(lines.allSatisfy { $0.printable == $0 && !$0.contains("\n") }, "an error that is not printable: \(lines)")
        precondition(error.message.utf8.starts(with: ("a\u{1b}.mp4".printable + ": ").utf8), "an error about no file: \(error.message)")
    }

    /// A stream's description, the head of a list of frames, and the list.
    private static func checkFrames(_ bytes: [UInt8]) throws {
        let place = MediaStream.size + FrameList.size
        guard bytes.count >= place, let stream = MediaStream(Array(bytes[..<MediaStream.size])),
            let list = FrameList(Array(bytes[MediaStream.size..<place])), let (ticks, keys) = list.decode(Array(bytes[place...]))
        else { return }
        precondition(ticks.count == list.count && keys.count == list.count, "\(ticks.count) times, \(keys.count) keys of \(list.count)")
        let video = VideoInfo(stream, list, ticks: ticks, keys: keys, path: "input")
        precondition(video.frames == list.count && video.framesPerSecond.isFinite && video.framesPerSecond >= 0, "\(video.times)")
        _ = video.damage?.text(frames: video.frames)
        guard let duration = video.times.duration, video.framesPerSecond > 0 else { return }
        precondition(duration.isFinite && duration >= 0, "\(duration) seconds")
        for time in [-1, 0, duration / 2, duration, 2 * duration] {
            precondition((0..<video.frames).contains(video.times.frame(at: time)), "the frame at \(time)")
            precondition((0...video.frames).contains(video.times.frames(before: time)), "the frames before \(time)")
        }
    }
}
