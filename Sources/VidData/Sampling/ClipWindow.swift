import VidSystem
import VidTensor

/// A stretch of a clip in seconds: the frames whose time lies from `start` to before `start + length`. Frame i is at i / rate.
package struct ClipWindow: Sendable, Equatable {
    package var start: Double
    package var length: Double

    package init(start: Double, length: Double) {
        self.start = start
        self.length = length
    }

    package var view: ClipView { .window(start: start, length: length) }

    /// Its frames of `count` frames at `rate` a second; those past the end are left out.
    ///
    /// A frame within a millionth of a frame's time of a bound counts as on it: bounds that are sums of decimal fractions
    /// do not waver. Throws where the rate is unknown (0), or the window starts past the last frame, or has no frame.
    func frames(of count: Int, rate: Double, path: String) throws -> Range<Int> {
        guard rate > 0 else {
            throw VidclassError.file(
                path, "its frame rate is not known, so it cannot be cut into windows of seconds; use a video or a .bin file with a rate")
        }
        guard start >= 0, length > 0, (start + length).isFinite else {
            throw VidclassError.file(
                path, "expected a window of more than 0 seconds that starts at 0 or later, found \(length) seconds from \(start)")
        }
        let low = (start * rate - 1e-6).rounded(.up)
        let high = ((start + length) * rate - 1e-6).rounded(.up)
        guard low < Double(count) else {
            throw VidclassError.file(
                path,
                "a window from \(start) seconds on starts past the end: \(count) frames at \(rate) a second take \(Double(count) / rate)")
        }
        guard low < high else {
            throw VidclassError.file(
                path, "no frame lies in the \(length) seconds from \(start) on; a frame at \(rate) a second takes \(1 / rate)")
        }
        // max: -0.0 and a bound of -1e-6 are the first frame.
        return Int(max(low, 0))..<Int(min(high, Double(count)))
    }
}

/// How long a clip is.
package struct ClipLength: Sendable, Equatable {
    /// Of a video, its packets: one a frame in almost every file.
    package var frames: Int
    /// 0 = unknown.
    package var framesPerSecond: Double

    package init(frames: Int, framesPerSecond: Double) {
        self.frames = frames
        self.framesPerSecond = framesPerSecond
    }

    /// Nil where the rate is unknown.
    package var seconds: Double? { framesPerSecond > 0 ? Double(frames) / framesPerSecond : nil }

    /// Windows of `length` seconds, `stride` seconds from start to start, the first at 0: as many as lie wholly in the clip, and
    /// one more, which sticks out at the end, where these leave more than half a stride uncovered, or where there are none;
    /// no more than the clip has frames.
    ///
    /// `path` is for the error: the rate is unknown.
    package func windows(length: Double, stride: Double, path: String) throws -> [ClipWindow] {
        precondition(length > 0 && stride > 0, "windows of \(length) seconds every \(stride)")
        guard let seconds else {
            _ = try ClipWindow(start: 0, length: length).frames(of: frames, rate: 0, path: path)
            return []
        }
        let slack = 1e-6 / framesPerSecond
        let whole = max(0, Int(min(((seconds - length + slack) / stride).rounded(.down) + 1, Double(frames))))
        var windows = (0..<whole).map { ClipWindow(start: Double($0) * stride, length: length) }
        let next = Double(whole) * stride
        let covered = windows.last.map { $0.start + length } ?? 0
        if seconds - covered > (windows.isEmpty ? 0 : stride / 2), next < seconds - slack {
            windows.append(ClipWindow(start: next, length: length))
        }
        return windows
    }
}
