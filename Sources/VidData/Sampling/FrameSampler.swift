import VidConfig
import VidSystem
import VidTensor

/// Chooses a model's number of frames T from a clip of N frames, as `data.sampling` defines.
///
/// The choice depends only on the frames' times and the view, so it is the same for every kind of file. These are the rules for a
/// constant rate, or an unknown one; `FrameSampler+Time.swift` has those for a variable rate, which are the same rules by time.
///
/// - `uniform`: from T equal segments of the clip, sample j of K takes the frame floor((i + (j + 1/2) / K) N / T) of segment i;
///   a clip of up to T frames gives all its frames.
/// - `random`: the same in evaluation; in training one random frame of each segment floor(i N / T) ..< floor((i + 1) N / T)
///   (Wang et al. 2016, "Temporal segment networks").
/// - `consecutive`: frames `stride` apart, with a span of (T - 1) stride + 1 frames. In training the span starts anywhere with
///   equal probability; sample j of K starts at floor((N - span + 1) (2 j + 1) / (2 K)). A clip shorter than the span gives the
///   existing ones of the frames 0, stride, 2 stride, ...
/// - `fps`: the same with a stride of the clip's rate over the wanted rate, which need not be an integer: frame start +
///   floor(i stride). A wanted rate above the clip's repeats frames.
package struct FrameSampler: Sendable, Equatable {
    package let frames: Int
    package let sampling: SamplingConfiguration

    package init(frames: Int, sampling: SamplingConfiguration = SamplingConfiguration()) {
        precondition(frames >= 1, "a clip of \(frames) frames")
        self.frames = frames
        self.sampling = sampling
    }

    /// The frames of a clip before `ShortClips` extends them.
    package struct Choice: Sendable, Equatable {
        /// 1 to T frames, ascending, with repeats if `fps` is above the clip's rate, or if a variable rate shows a frame for long.
        package let indices: [Int]
        /// The rate of these frames; 0 = unknown.
        package let framesPerSecond: Double
        /// The least that a clip must have to give all T.
        package let need: Need
        /// The frames that were available: all of the clip, or those that begin in a window. In a window of a variable rate, the frame
        /// before them may be chosen too.
        package let range: Range<Int>
        /// The duration of the clip's part in which they are shown.
        package let duration: Double?
    }

    package enum Need: Sendable, Equatable {
        case frames(Int)
        case seconds(Double)
    }

    /// The frames that `view` takes from frames at `times`. Throws if the rate is unknown but needed, or if a window starts past the
    /// end; `path` is for the error.
    package func choose(_ view: ClipView, of times: FrameTimes, path: String) throws -> Choice {
        precondition(times.count >= 1, "\(times.count) frames to sample from")
        var times = times
        if case .window(let start, let length) = view { times = times.known(at: start + length) }
        var range = 0..<times.count
        var part = 0..<(times.duration ?? 0)
        var place = Place.evenly(index: 0, count: 1)
        switch view {
        case .evaluation(let index, let samples):
            precondition(samples >= 1 && (0..<samples).contains(index), "sample \(index) of \(samples)")
            place = .evenly(index: index, count: samples)
        case .training(let seed, let stream): place = .random(RandomGenerator(seed: seed, stream: stream))
        case .window(let start, let length):
            range = try ClipWindow(start: start, length: length).frames(of: times, path: path)
            part = start..<min(start + length, part.upperBound)
        }
        let duration = times.rate > 0 ? part.upperBound - part.lowerBound : nil
        if times.seconds != nil, let (indices, framesPerSecond, need) = choose(place, byTime: times, range, part) {
            return Choice(indices: indices, framesPerSecond: framesPerSecond, need: need, range: range, duration: duration)
        }
        var (indices, framesPerSecond, span) = try choose(place, of: range.count, rate: times.rate, path: path)
        if range.lowerBound > 0 { indices = indices.map { $0 + range.lowerBound } }
        if indices.count == range.count, sampling.type == .uniform || sampling.type == .random { framesPerSecond = times.rate }
        return Choice(indices: indices, framesPerSecond: framesPerSecond, need: .frames(span), range: range, duration: duration)
    }

    /// The place of the frames in the clip, or in each of its segments.
    enum Place {
        case evenly(index: Int, count: Int)
        case random(RandomGenerator)
    }

    private func choose(
        _ place: Place, of count: Int, rate: Double, path: String
    ) throws -> (indices: [Int], framesPerSecond: Double, span: Int) {
        switch sampling.type {
        case .uniform, .random:
            let indices = uniform(place, of: count)
            return (indices, rate * Double(indices.count) / Double(count), frames)
        case .consecutive:
            let stride = sampling.stride
            let span = (frames - 1) * stride + 1
            let first = start(place, places: count - span + 1)
            return ((0..<frames).map { first + $0 * stride }.filter { $0 < count }, rate / Double(stride), span)
        case .fps:
            guard rate > 0 else {
                throw VidclassError.file(
                    path,
                    "its frame rate is not known, so it cannot be sampled at \(sampling.framesPerSecond) frames per second; use a video or a "
                        + ".bin file with a rate, \(FrameTimes.folderRateAdvice), or train "
                        + "with \(ShellText.setting("data.sampling.type", "uniform")) (or random, consecutive)"
                )
            }
            // With this factor a rate that was rounded to float32, as in a clip file, gives the same frames as the exact rate.
            let offsets = (0..<frames).map { (Double($0) * rate / sampling.framesPerSecond * (1 + 0x1p-23)).rounded(.down) }
            let span = Int(min(offsets[frames - 1], 1e15)) + 1
            let first = start(place, places: count - span + 1)
            return (
                offsets.prefix { $0 < Double(count - first) }.map { first + Int($0) }, sampling.framesPerSecond, span
            )
        }
    }

    private func uniform(_ place: Place, of count: Int) -> [Int] {
        guard count > frames else { return Array(0..<count) }
        switch place {
        case .evenly(let index, let samples):
            return (0..<frames).map { (2 * (samples * $0 + index) + 1) * count / (2 * samples * frames) }
        case .random(var random):
            guard sampling.type == .random else { return FrameSampling.uniform(frames, of: count) }
            return (0..<frames).map { segment in
                let low = segment * count / frames
                return low + random.place((segment + 1) * count / frames - low)
            }
        }
    }

    /// The first frame of a span that may start at any of `places` places.
    private func start(_ place: Place, places: Int) -> Int {
        guard places > 1 else { return 0 }
        switch place {
        case .evenly(let index, let samples): return places * (2 * index + 1) / (2 * samples)
        case .random(var random): return random.place(places)
        }
    }
}

extension FrameSampler {
    /// The sampling as a cache key: equal choices have equal texts. `training` is true for a training view.
    func text(training: Bool) -> String {
        switch sampling.type {
        case .uniform: "uniform"
        // In evaluation they are equal.
        case .random: training ? "random" : "uniform"
        case .consecutive: "consecutive by \(sampling.stride)"
        case .fps: "fps \(sampling.framesPerSecond)"
        }
    }
}

extension RandomGenerator {
    /// A random number below `count` <= 2^32 from exactly one word; its bias is less than count / 2^32.
    mutating func place(_ count: Int) -> Int { Int((UInt64(nextWord()) * UInt64(count)) >> 32) }
}
