import VidConfig
import VidSystem

package enum FrameSampling {
    /// K of N frames, uniformly: frame floor((i + 1/2) N / K) for i = 0 ..< K, which is at the centre of the i-th of K equal
    /// segments. They are strictly ascending; if N <= K, all N frames.
    package static func uniform(_ count: Int, of frames: Int) -> [Int] {
        precondition(count >= 1 && frames >= 1, "\(count) of \(frames) frames")
        guard frames > count else { return Array(0..<frames) }
        return (0..<count).map { (2 * $0 + 1) * frames / (2 * count) }
    }

    /// The same by time: of T seconds, the frame shown at (i + 1/2) T / K for i = 0 ..< K. At a variable rate, a frame is repeated that
    /// is shown at several of these times.
    static func uniform(_ count: Int, of times: FrameTimes) -> [Int] {
        guard times.seconds != nil, let duration = times.duration, times.count > count else { return uniform(count, of: times.count) }
        return (0..<count).map { times.frame(at: (Double($0) + 0.5) * duration / Double(count)) }
    }

    /// Ascending `indices`, each once.
    static func unique(_ indices: [Int]) -> [Int] {
        indices.indices.filter { $0 == 0 || indices[$0] != indices[$0 - 1] }.map { indices[$0] }
    }
}

/// The frames of a file that packing keeps.
package struct FrameSelection: Sendable, Equatable {
    /// The largest number of frames, spread uniformly; nil = all.
    package let frames: Int?
    /// The rate to which frames are first reduced, uniformly; nil = the source's rate. A rate above the source's mean rate keeps
    /// every frame.
    package let framesPerSecond: Double?

    package init(frames: Int? = nil, framesPerSecond: Double? = nil) {
        self.frames = frames
        self.framesPerSecond = framesPerSecond
    }

    package static let all = FrameSelection()

    package static func uniform(_ frames: Int) -> FrameSelection { FrameSelection(frames: frames) }

    /// The frames to store, ascending, and their rate (0 = unknown). A frame is repeated if a variable rate shows it at several of
    /// the wanted times. `path` is for the error.
    ///
    /// From a constant rate r, `framesPerSecond` F leaves round(N F / r) frames, uniformly; from a variable one, the frames shown at
    /// (i + 1/2) / F for all such times in the clip.
    package func choice(of times: FrameTimes, path: String) throws -> (indices: [Int], framesPerSecond: Double) {
        var (indices, rate) = (Array(0..<times.count), times.rate)
        var isReduced = false
        if let framesPerSecond {
            guard times.rate > 0 else {
                throw VidclassError.file(
                    path, "its frame rate is not known, so it cannot be reduced to \(framesPerSecond) a second")
            }
            let wanted = (Double(times.count) * framesPerSecond / times.rate).rounded()
            if wanted < Double(times.count) {
                isReduced = true
                let count = max(1, Int(wanted))
                if times.seconds == nil || wanted < 1 {
                    indices = FrameSampling.uniform(count, of: times)
                    rate = times.rate * Double(count) / Double(times.count)
                } else {
                    indices = (0..<count).map { times.frame(at: (Double($0) + 0.5) / framesPerSecond) }
                    rate = framesPerSecond
                }
            }
        }
        guard let frames, frames < indices.count else { return (indices, rate) }
        let chosen =
            isReduced ? FrameSampling.uniform(frames, of: indices.count).map { indices[$0] } : FrameSampling.uniform(frames, of: times)
        return (
            chosen, times.seconds == nil ? times.rate * Double(frames) / Double(times.count) : rate * Double(frames) / Double(indices.count)
        )
    }

}

extension ShortClips {
    /// The frames, with repeats, that extend a clip of `frames` <= `count` frames to `count` frames, and the number of valid ones:
    /// under `mask` the rest repeats the last frame and does not count.
    package func indices(_ count: Int, of frames: Int, path: String) throws -> (indices: [Int], valid: Int) {
        precondition(frames >= 1 && frames <= count, "\(frames) frames cannot be extended to \(count)")
        guard frames < count else { return (Array(0..<frames), frames) }
        switch self {
        case .loop: return ((0..<count).map { $0 % frames }, count)
        case .padLast: return ((0..<count).map { min($0, frames - 1) }, count)
        case .mask: return ((0..<count).map { min($0, frames - 1) }, frames)
        case .error:
            throw VidclassError.file(
                path,
                "expected at least \(count) frames, found \(frames); repeat short clips with "
                    + "\(ShellText.setting("data.short_clips", "loop")) (or pad_last, mask)")
        }
    }
}
