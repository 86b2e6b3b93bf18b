import VidSystem

/// Which frames of a clip a sample takes, and whether they are changed at random.
package enum ClipView: Sendable, Hashable {
    /// Sample `index` of `count` samples spread evenly over the clip. Nothing is random.
    case evaluation(index: Int, count: Int)
    /// Sampled and augmented with the random numbers of one stream of a seed: equal numbers give equal samples.
    case training(seed: UInt64, stream: UInt64)
    /// An evaluation sample of the `length` seconds from `start` on.
    case window(start: Double, length: Double)

    /// The single evaluation sample that represents a whole clip.
    package static let whole = ClipView.evaluation(index: 0, count: 1)
}

/// A time range of a clip in seconds: the frames whose time is in `start ..< start + length`. Frame i is at i / rate.
package struct ClipWindow: Sendable, Equatable {
    package let start: Double
    package let length: Double

    package init(start: Double, length: Double) {
        self.start = start
        self.length = length
    }

    package var view: ClipView { .window(start: start, length: length) }

    /// The window's frames in a clip of `count` frames at `rate` a second; frames past the end are left out.
    ///
    /// A frame within a millionth of a frame's time of a bound counts as on it, so that rounding errors of decimal fractions do not
    /// matter. Throws if the rate is unknown (0), or if the window starts past the last frame or contains no frame.
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
                "the window starts at \(start) seconds, but the clip ends at \(Double(count) / rate) (\(count) frames at \(rate) a second)")
        }
        guard low < high else {
            throw VidclassError.file(
                path,
                "the window of \(length) seconds from \(start) contains no frame, because a frame lasts \(1 / rate); use longer windows")
        }
        // max: -0.0 and a bound of -1e-6 are the first frame.
        return Int(max(low, 0))..<Int(min(high, Double(count)))
    }
}

/// The length of a clip.
package struct ClipLength: Sendable, Equatable {
    /// The number of frames; for a video, of packets (one per frame in almost every file).
    package var frames: Int
    /// 0 = unknown.
    package var framesPerSecond: Double

    package init(frames: Int, framesPerSecond: Double) {
        self.frames = frames
        self.framesPerSecond = framesPerSecond
    }

    /// Nil if the rate is unknown.
    package var seconds: Double? { framesPerSecond > 0 ? Double(frames) / framesPerSecond : nil }

    /// Windows of `length` seconds that start every `stride` seconds from 0 on: all that fit into the clip, and one more past the
    /// end if they leave more than half a stride uncovered or if none fits. There are at most as many as frames.
    ///
    /// Throws if the rate is unknown; `path` is for the error.
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
