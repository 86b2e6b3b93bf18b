import VidConfig
import VidSystem
import VidTensor

/// Takes a model's number of frames T from a clip of N frames, as `data.sampling` says.
///
/// What is taken is a function of N, the clip's frame rate, and the view alone, so it is the same from every kind of file.
///
/// - `uniform`: of T equal stretches of the clip, sample j of K takes the frame floor((i + (j + 1/2) / K) N / T) of stretch i;
///   a clip of up to T frames gives all it has.
/// - `random`: the same at evaluation; in training one frame at random of each stretch floor(i N / T) ..< floor((i + 1) N / T)
///   (Wang et al. 2016, "Temporal segment networks").
/// - `consecutive`: frames `stride` apart, a window of span (T - 1) stride + 1 frames. In training it starts anywhere with
///   the same probability; sample j of K starts at floor((N - span + 1) (2 j + 1) / (2 K)). A clip shorter than the span gives
///   the frames 0, stride, 2 stride, ... that exist.
/// - `fps`: the same with a stride of the clip's rate over the wanted one, which need not be whole: frame start +
///   floor(i stride). A wanted rate above the clip's repeats frames.
package struct FrameSampler: Sendable, Equatable {
    package let frames: Int
    package let sampling: SamplingConfiguration

    package init(frames: Int, sampling: SamplingConfiguration = SamplingConfiguration()) {
        precondition(frames >= 1, "a clip of \(frames) frames")
        self.frames = frames
        self.sampling = sampling
    }

    /// Frames of a clip before it is completed by `ShortClips`.
    package struct Choice: Sendable, Equatable {
        /// Rising, with repeats where `fps` is above the clip's rate; 1 to T of them.
        package var indices: [Int]
        /// Of these frames; 0 = unknown.
        package var framesPerSecond: Double
        /// The frames that a clip must have for all T to be there.
        package var span: Int
        /// The frames of the clip that were chosen from: all, or a window's.
        package var stretch: Range<Int>
    }

    /// The frames that `view` takes of `count` frames at `rate` a second (0 = unknown). `path` is for errors: a rate that must
    /// be known and is not, a window without frames.
    package func choose(_ view: ClipView, of count: Int, rate: Double, path: String) throws -> Choice {
        precondition(count >= 1, "\(count) frames to sample from")
        var stretch = 0..<count
        var place = Place.evenly(index: 0, count: 1)
        switch view {
        case .evaluation(let index, let samples):
            precondition(samples >= 1 && (0..<samples).contains(index), "sample \(index) of \(samples)")
            place = .evenly(index: index, count: samples)
        case .training(let seed, let stream): place = .random(RandomGenerator(seed: seed, stream: stream))
        case .window(let start, let length):
            stretch = try ClipWindow(start: start, length: length).frames(of: count, rate: rate, path: path)
        }
        var (indices, framesPerSecond, span) = try choose(place, of: stretch.count, rate: rate, path: path)
        if stretch.lowerBound > 0 { indices = indices.map { $0 + stretch.lowerBound } }
        if indices.count == stretch.count, sampling.isUniform { framesPerSecond = rate }
        return Choice(indices: indices, framesPerSecond: framesPerSecond, span: span, stretch: stretch)
    }

    /// Where in the clip, or in each of its stretches, frames are taken.
    private enum Place {
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
                    "its frame rate is not known, so frames cannot be taken at data.sampling.fps = \(sampling.framesPerSecond); set "
                        + "data.sampling.type to \"uniform\", \"random\" or \"consecutive\", or use a video or a .bin file with a rate")
            }
            // A rate rounded to a float32, as a clip file's is, gives the frames that the exact one gives.
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
            return (0..<frames).map { stretch in
                let low = stretch * count / frames
                return low + random.place((stretch + 1) * count / frames - low)
            }
        }
    }

    /// The first frame of a window that may start at any of `places` places.
    private func start(_ place: Place, places: Int) -> Int {
        guard places > 1 else { return 0 }
        switch place {
        case .evenly(let index, let samples): return places * (2 * index + 1) / (2 * samples)
        case .random(var random): return random.place(places)
        }
    }
}

extension FrameSampler {
    /// Whether training takes other frames than evaluation.
    package var isRandom: Bool { sampling.isRandom }

    /// The sampling in words for keys: what makes the same choice has the same words. `training`: of a training view.
    func text(training: Bool) -> String {
        switch sampling.type {
        case .uniform: "uniform"
        // At evaluation there is no difference.
        case .random: training ? "random" : "uniform"
        case .consecutive: "consecutive by \(sampling.stride)"
        case .fps: "fps \(sampling.framesPerSecond)"
        }
    }
}

extension SamplingConfiguration {
    fileprivate var isUniform: Bool { type == .uniform || type == .random }
}

extension RandomGenerator {
    /// One of `count` <= 2^32 places, by exactly one word; uneven by less than count / 2^32.
    mutating func place(_ count: Int) -> Int { Int((UInt64(nextWord()) * UInt64(count)) >> 32) }
}
