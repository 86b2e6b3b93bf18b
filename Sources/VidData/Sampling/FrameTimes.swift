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
    /// The frame that `seconds` begins with: 0 but for a stream, whose past is forgotten.
    let first: Int
    /// The frames as they were known while they came, if all of them together tell something else. It is nil if they did not come one by one.
    private(set) var arrival: Arrival?

    /// The times of frames that came one after another: at the stated rate for as long as they agreed with it.
    struct Arrival: Sendable, Equatable {
        /// 0 = unknown.
        let statedRate: Double
        /// The number of frames up to the first one that does not agree with `statedRate`.
        let agreeing: Int
        /// The times as the file gives them, and their end.
        let seconds: [Double]
        let duration: Double
    }

    /// Advice for a folder of pictures whose rate must be known.
    static let folderRateAdvice =
        "give that of folders of pictures with \(ShellText.setting("data.frame_folder_fps", "25")) (for a trained model: --fps 25)"

    /// `count` frames at a constant rate; 0 = unknown.
    package init(count: Int, rate: Double) {
        self.count = count
        self.rate = rate > 0 && rate.isFinite ? rate : 0
        seconds = nil
        first = 0
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
        first = 0
    }

    /// A stream's frames from `first` on at `seconds`, until `duration`.
    init(from first: Int, seconds: [Double], duration: Double) {
        precondition(!seconds.isEmpty && duration > 0 && duration.isFinite, "\(seconds.count) frames until \(duration)")
        count = first + seconds.count
        rate = Double(count) / duration
        self.seconds = seconds
        self.duration = duration
        self.first = first
    }

    /// The same times with what was known while the frames came.
    func arriving(_ arrival: Arrival) -> FrameTimes {
        var times = self
        times.arrival = arrival
        return times
    }

    /// The times that were known when the last frame had come.
    package var ended: FrameTimes { arrival.map { FrameTimes(from: 0, seconds: $0.seconds, duration: $0.duration) } ?? self }

    /// The times that were known when the first frame at or after `end` came. They decide about a window that ends there, which so does not
    /// depend on what comes later: the windows of a file are those of the same stream.
    func known(at end: Double) -> FrameTimes {
        guard let arrival, arrival.statedRate > 0 else { return ended }
        let stated = FrameTimes(count: arrival.seconds.count, rate: arrival.statedRate)
        return stated.frames(before: end) < arrival.agreeing ? stated : ended
    }

    /// Times closer than this count as equal: a millionth of the mean frame's time.
    ///
    /// The rounding error of a time is below 1e-11 s after a day, and frames that a file can tell apart are about a tick of its time
    /// base apart, at least 1/90000 s in almost every file. So no rounding error moves a time across a frame's, and no frame is
    /// taken for its neighbour.
    var tolerance: Double { 1e-6 / rate }

    /// The time of a frame; nil if the rate is unknown.
    package func time(of frame: Int) -> Double? { seconds?[frame - first] ?? (rate > 0 ? Double(frame) / rate : nil) }

    /// The number of frames that are shown before `time`, whose number is also that of the first frame shown at or after it.
    package func frames(before time: Double) -> Int {
        precondition(rate > 0, "the rate of the frames is not known")
        guard let seconds else { return Int(min(max((time * rate - 1e-6).rounded(.up), 0), Double(count))) }
        return first + seconds.firstIndex(inSorted: { $0 >= time - tolerance })
    }

    /// The frame on the screen at `time`: the last one whose time is not above it. Before the first frame it is the first.
    package func frame(at time: Double) -> Int {
        precondition(rate > 0, "the rate of the frames is not known")
        guard let seconds else { return Int(min(max((time * rate + 1e-6).rounded(.down), 0), Double(count - 1))) }
        return first + max(0, seconds.firstIndex(inSorted: { $0 > time + tolerance }) - 1)
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
