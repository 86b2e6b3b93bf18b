import VidConfig
import VidTensor

/// The rules of a variable rate. Let D be the duration of the clip, or of a window's part of it, and times start with it.
///
/// - `uniform`: the frame on the screen at (i + (j + 1/2) / K) D / T. A frame that is shown for long is chosen several times. If only
///   up to T frames begin, it is all of them.
/// - `random`: in training, the frame on the screen at a random time of each segment i D / T ..< (i + 1) D / T.
/// - `fps`: the frames on the screen at start + i / fps, before D. In training, the start is the time of a frame, any of those whose
///   time plus (T - 1) / fps is below D. Sample j of K starts at the frame on the screen at (D - (T - 1) / fps) (2 j + 1) / (2 K).
///   It is 0 if the clip is too short.
/// - `consecutive` counts frames, as at a constant rate.
///
/// At a constant rate r, frame floor(r t) is on the screen at the time t, so that these are the rules of `FrameSampler` but for `fps`,
/// whose last frame may be another where the clip ends within a frame's time after it.
extension FrameSampler {
    /// - Parameters:
    ///   - range: the frames that begin in the part.
    ///   - part: the part of the clip, in seconds.
    /// - Returns: nil if the sampling does not go by time.
    func choose(
        _ place: Place, byTime times: FrameTimes, _ range: Range<Int>, _ part: Range<Double>
    ) -> (indices: [Int], framesPerSecond: Double, need: Need)? {
        // Never 0, by which rates are divided.
        let duration = max(part.upperBound - part.lowerBound, times.tolerance)
        switch sampling.type {
        case .uniform, .random:
            guard range.count > frames else { return (Array(range), Double(range.count) / duration, .frames(frames)) }
            let positions = (0..<frames).map(Double.init)
            let fractions = fractions(place)
            let indices = zip(positions, fractions).map { times.frame(at: part.lowerBound + ($0 + $1) * duration / Double(frames)) }
            return (indices, Double(frames) / duration, .frames(frames))
        case .consecutive: return nil
        case .fps:
            let span = Double(frames - 1) / sampling.framesPerSecond
            let start = start(place, byTime: times, part, span: span)
            let wanted = (0..<frames).map { start + Double($0) / sampling.framesPerSecond }
            // The first one is there even if the part is shorter than the tolerance.
            let shown = wanted.prefix { $0 == start || $0 < part.upperBound - times.tolerance }
            return (shown.map { times.frame(at: $0) }, sampling.framesPerSecond, .seconds(span))
        }
    }

    /// The place of the wanted time in each segment, as a fraction of it.
    private func fractions(_ place: Place) -> [Double] {
        switch place {
        case .evenly(let index, let samples): [Double](repeating: (Double(index) + 0.5) / Double(samples), count: frames)
        case .random(var random):
            (0..<frames).map { _ in sampling.type == .random ? Double(random.nextWord()) * 0x1p-32 : 0.5 }
        }
    }

    /// The time of the first frame of a span of seconds.
    private func start(_ place: Place, byTime times: FrameTimes, _ part: Range<Double>, span: Double) -> Double {
        let free = part.upperBound - part.lowerBound - span
        guard free > times.tolerance else { return part.lowerBound }
        switch place {
        case .evenly(let index, let samples):
            let first = times.frame(at: part.lowerBound + free * Double(2 * index + 1) / Double(2 * samples))
            return max(part.lowerBound, times.time(of: first) ?? 0)
        case .random(var random):
            let places = times.frames(before: part.upperBound - span)
            return places > 1 ? times.time(of: random.place(places)) ?? 0 : part.lowerBound
        }
    }
}
