import VidSystem

/// The place in its file of a frame of a loaded clip.
package struct FrameMoment: Sendable, Equatable {
    /// The number of the shown frame, from 0.
    package let frame: Int
    /// The time from the first shown frame; nil if the rate is unknown.
    package let seconds: Double?
}

/// The frames of a clip: all of its file, or those of a segment. Views choose among them as if they were a file of their own.
package struct ClipFrames: Sendable, Equatable {
    /// Their numbers in the file.
    package let range: Range<Int>
    /// Their times, from the first one on.
    package let times: FrameTimes
    /// The time in the file of the first one; nil if the rate is unknown.
    package let start: Double?
    private let file: FrameTimes?

    /// All frames of a file.
    package init(_ times: FrameTimes) {
        range = 0..<times.count
        self.times = times
        start = times.time(of: 0)
        file = times
    }

    /// The frames of a stream up to now.
    init(stream times: FrameTimes) {
        range = 0..<times.count
        self.times = times
        start = 0
        file = times
    }

    /// Frames that are computed from a part of a file, which begins at `start` seconds. A spectrogram has such frames.
    init(_ times: FrameTimes, from start: Double) {
        range = 0..<times.count
        self.times = times
        self.start = start
        file = nil
    }

    /// The frames at `times` of a file that belong to `clip`: those that begin at or after the segment's start and before its end.
    ///
    /// An end up to one frame's time after the file's is cut to it. Throws `.badData` for a segment that is empty, extends further, or
    /// contains no frame, and for seconds of a file whose rate is unknown.
    package init(_ clip: ClipPath, of times: FrameTimes) throws {
        guard let segment = clip.segment else {
            self.init(times)
            return
        }
        let range: Range<Int>
        switch segment.unit {
        case .seconds:
            guard let duration = times.duration else {
                throw VidclassError.file(
                    clip.text,
                    "its frame rate is not known, so seconds name none of its frames; name them by their numbers: "
                        + "\(ClipPath(file: clip.file, segment: ClipSegment(start: 0, end: Double(times.count), unit: .frames)).text.printable), "
                        + "or \(FrameTimes.folderRateAdvice)"
                )
            }
            try segment.check(clip, whole: duration, slack: 1 / times.rate + times.tolerance)
            let (low, high) = (times.frames(before: segment.start), times.frames(before: segment.end))
            guard low < high else {
                throw VidclassError.file(
                    clip.text,
                    "the segment contains no frame: of the \(times.count) frames at \(ClipSegment.rounded(times.rate)) a second none begins "
                        + "between its start and its end; make it longer")
            }
            range = low..<high
        case .frames:
            let isWhole = [segment.start, segment.end].allSatisfy { $0 == $0.rounded() }
            guard isWhole else { throw VidclassError.file(clip.text, "a segment by frames has whole numbers, from 0") }
            try segment.check(clip, whole: Double(times.count), slack: 1)
            range = Int(segment.start)..<min(Int(exactly: segment.end) ?? times.count, times.count)
        }
        self.init(range, of: times, until: segment.unit == .seconds ? segment.end : .infinity)
    }

    private init(_ range: Range<Int>, of times: FrameTimes, until end: Double) {
        self.range = range
        self.times = range.count == times.count && end >= times.duration ?? 0 ? times : times.part(range, until: end)
        start = times.time(of: range.lowerBound)
        file = times
    }

    package var count: Int { range.count }

    /// The place in the file of one of these frames.
    func moment(of frame: Int) -> FrameMoment {
        guard let file else { return FrameMoment(frame: frame, seconds: times.time(of: frame).map { $0 + (start ?? 0) }) }
        return FrameMoment(frame: range.lowerBound + frame, seconds: file.time(of: range.lowerBound + frame))
    }
}

extension ClipSegment {
    /// Throws `.badData` if the segment is empty, or not within a clip of `whole` seconds or frames; it may end up to `slack` later.
    func check(_ clip: ClipPath, whole: Double, slack: Double) throws {
        let unit = unit == .seconds ? "seconds" : "frames"
        func number(_ value: Double) -> String { ClipSegment.rounded(value) }
        guard start >= 0 else { throw VidclassError.file(clip.text, "the segment starts at \(number(start)); the first frame is at 0") }
        guard end > start else {
            throw VidclassError.file(
                clip.text,
                "the segment \(end == start ? "is empty: it starts and ends" : "ends at \(number(end)), before it starts") at \(number(start)); "
                    + "give it an end after its start")
        }
        let name = PathText.name(clip.file).printable
        guard start < whole - (self.unit == .seconds ? slack * 1e-3 : 0) else {
            throw VidclassError.file(
                clip.text,
                "the segment starts at \(number(start)), but \(name) ends at \(number(whole)) \(unit); correct the times, or leave it out")
        }
        guard end.isInfinite || end <= whole + slack else {
            throw VidclassError.file(
                clip.text,
                "the segment ends at \(number(end)), but \(name) ends at \(number(whole)) \(unit); set its end to \(number(whole)), or "
                    + "check that this is the right video")
        }
    }

    /// To milliseconds, for messages.
    static func rounded(_ value: Double) -> String {
        let value = (value * 1000).rounded() / 1000
        return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    }
}

extension FrameTimes {
    /// The frames of `range` as a clip of their own. The last one is shown until the next frame, or until `end` where a variable rate
    /// lets it stand longer.
    fileprivate func part(_ range: Range<Int>, until end: Double) -> FrameTimes {
        guard let seconds, let duration else { return FrameTimes(count: range.count, rate: rate) }
        let first = seconds[range.lowerBound]
        let next = range.upperBound < count ? seconds[range.upperBound] : duration
        return FrameTimes(seconds: seconds[range].map { $0 - first }, duration: max(seconds[range.upperBound - 1], min(next, end)) - first)
    }
}
