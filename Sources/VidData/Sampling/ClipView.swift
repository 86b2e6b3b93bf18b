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

/// A time range of a clip in seconds: `start ..< start + length`.
package struct ClipWindow: Sendable, Equatable {
    package let start: Double
    package let length: Double

    package init(start: Double, length: Double) {
        self.start = start
        self.length = length
    }

    package var view: ClipView { .window(start: start, length: length) }

    /// The frames whose times are in the window. If there is none, it is the frame that is shown at the window's start.
    ///
    /// Times within `FrameTimes.tolerance` of a bound count as on it, so that rounding errors of decimal fractions do not matter. Throws
    /// if the rate is unknown, or if the window starts past the end; `path` is for the error.
    func frames(of times: FrameTimes, path: String) throws -> Range<Int> {
        guard let duration = times.duration else {
            throw VidclassError.file(
                path,
                "its frame rate is not known, so it cannot be cut into windows of seconds; use a video or a .bin file with a "
                    + "rate, or \(FrameTimes.folderRateAdvice)")
        }
        guard start >= 0, length > 0, (start + length).isFinite else {
            throw VidclassError.file(
                path, "expected a window of more than 0 seconds that starts at 0 or later, found \(length) seconds from \(start)")
        }
        guard start < duration - times.tolerance else {
            throw VidclassError.file(
                path,
                "the window starts at \(start) seconds, but the clip ends at \(duration) (\(times.count) frames at \(times.rate) a second)")
        }
        let (low, high) = (times.frames(before: start), times.frames(before: start + length))
        guard low < high else {
            let shown = times.frame(at: start)
            return shown..<shown + 1
        }
        return low..<high
    }
}

extension FrameTimes {
    /// The largest number of windows of a clip.
    package static let mostWindows = 1_000_000

    /// Windows of `length` seconds that start every `stride` seconds from 0 on: all that fit into the clip, and one more past the
    /// end if they leave more than half a stride uncovered or if none fits.
    ///
    /// Throws if the rate is unknown or if there would be more than `most` windows; `path` is for the error.
    package func windows(length: Double, stride: Double, most: Int = mostWindows, path: String) throws -> [ClipWindow] {
        let times = ended
        guard let duration = times.duration else {
            _ = try ClipWindow(start: 0, length: length).frames(of: times, path: path)
            return []
        }
        let grid = WindowGrid(length: length, stride: stride)
        let fitting = grid.fitting(in: duration, tolerance: times.tolerance)
        guard fitting <= Double(most) else { throw grid.tooMany(fitting, most, duration, path: path) }
        let windows = (0..<Int(fitting)).map(grid.window)
        return windows + (grid.rest(of: duration, after: windows.count, tolerance: times.tolerance).map { [$0] } ?? [])
    }
}

/// Windows of `length` seconds that start every `stride` seconds from 0 on.
struct WindowGrid: Sendable {
    let length: Double
    let stride: Double

    init(length: Double, stride: Double) {
        precondition(length > 0 && stride > 0, "windows of \(length) seconds every \(stride)")
        (self.length, self.stride) = (length, stride)
    }

    func window(_ number: Int) -> ClipWindow { ClipWindow(start: Double(number) * stride, length: length) }

    /// The number of windows that fit into `duration` seconds.
    func fitting(in duration: Double, tolerance: Double) -> Double {
        max(0, ((duration - length + min(tolerance, stride / 4)) / stride).rounded(.down) + 1)
    }

    /// The window that extends past the end, after `count` that fit: if they leave more than half a stride uncovered, or if none fits.
    func rest(of duration: Double, after count: Int, tolerance: Double) -> ClipWindow? {
        let next = window(count)
        let covered = count > 0 ? window(count - 1).start + length : 0
        return duration - covered > (count == 0 ? 0 : stride / 2) && next.start < duration - tolerance ? next : nil
    }

    func tooMany(_ found: Double, _ most: Int, _ duration: Double, path: String) -> VidclassError {
        .file(
            path,
            "expected at most \(most) windows, found \(found < 1e15 ? "\(Int(found))" : "more than 10^15"), one every \(stride) seconds of "
                + "\(duration); use a longer " + (stride == length ? "--window" : "--stride"))
    }
}
