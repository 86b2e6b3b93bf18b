import VidSystem

/// The times at which the frames of a clip are shown, in seconds from the first frame.
package struct FrameTimes: Sendable, Equatable {
    package let count: Int
    /// The mean number of frames a second; 0 = unknown.
    package let rate: Double
    /// The time of each frame, ascending from 0; nil if frame i is shown at i / `rate`, or if the rate is unknown.
    package let seconds: [Double]?
    /// The end of the last frame; nil if the rate is unknown.
    package let duration: Double?

    /// Advice for a folder of pictures whose rate must be known.
    static let folderRateAdvice =
        "give that of folders of pictures with \(ShellText.setting("data.frame_folder_fps", "25")) (for a trained model: --fps 25)"

    /// `count` frames at a constant rate; 0 = unknown.
    package init(count: Int, rate: Double) {
        self.count = count
        self.rate = rate > 0 && rate.isFinite ? rate : 0
        seconds = nil
        duration = self.rate > 0 ? Double(count) / self.rate : nil
    }

    /// Frames at `seconds`, which ascend from 0, until `duration`. The rate is unknown if `duration` is 0.
    package init(seconds: [Double], duration: Double) {
        precondition(seconds.first == 0 && duration.isFinite, "frames from \(seconds.first ?? .nan) to \(duration) seconds")
        precondition(zip(seconds, seconds.dropFirst() + [duration]).allSatisfy { $0 <= $1 }, "times must ascend: \(seconds), \(duration)")
        let rate = Double(seconds.count) / duration
        let isKnown = rate > 0 && rate.isFinite
        count = seconds.count
        self.rate = isKnown ? rate : 0
        self.seconds = isKnown ? seconds : nil
        self.duration = isKnown ? duration : nil
    }

    /// Times closer than this count as equal: a millionth of the mean frame's time.
    ///
    /// The rounding error of a time is below 1e-11 s after a day, and frames that a file can tell apart are about a tick of its time
    /// base apart, at least 1/90000 s in almost every file. So no rounding error moves a time across a frame's, and no frame is
    /// taken for its neighbour.
    var tolerance: Double { 1e-6 / rate }

    /// The time of a frame; nil if the rate is unknown.
    package func time(of frame: Int) -> Double? { seconds?[frame] ?? (rate > 0 ? Double(frame) / rate : nil) }

    /// The number of frames that are shown before `time`, whose number is also that of the first frame shown at or after it.
    package func frames(before time: Double) -> Int {
        precondition(rate > 0, "the rate of the frames is not known")
        guard let seconds else { return Int(min(max((time * rate - 1e-6).rounded(.up), 0), Double(count))) }
        return seconds.firstIndex(inSorted: { $0 >= time - tolerance })
    }

    /// The frame on the screen at `time`: the last one whose time is not above it. Before the first frame it is the first.
    package func frame(at time: Double) -> Int {
        precondition(rate > 0, "the rate of the frames is not known")
        guard let seconds else { return Int(min(max((time * rate + 1e-6).rounded(.down), 0), Double(count - 1))) }
        return max(0, seconds.firstIndex(inSorted: { $0 > time + tolerance }) - 1)
    }
}

extension Array {
    /// The index of the first element for which `belongs` is true, which it is for all after it; `count` if there is none.
    func firstIndex(inSorted belongs: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
