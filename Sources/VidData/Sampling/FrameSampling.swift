import VidConfig
import VidSystem
import VidTensor

/// Which of a clip's frames are taken.
package enum FrameSampling {
    /// K of N frames, uniformly: frame floor((i + 1/2) N / K) for i = 0 ..< K, the frame at the centre of the i-th of K
    /// equal stretches. They rise strictly; where N <= K, all N frames.
    package static func uniform(_ count: Int, of frames: Int) -> [Int] {
        precondition(count >= 1 && frames >= 1, "\(count) of \(frames) frames")
        guard frames > count else { return Array(0..<frames) }
        return (0..<count).map { (2 * $0 + 1) * frames / (2 * count) }
    }
}

/// What is taken of a video or of another file of frames when it is packed.
package struct FrameSelection: Sendable, Equatable {
    /// At most so many frames, spread uniformly; nil = all.
    package var frames: Int?
    /// First thinned out, uniformly, to so many frames a second; nil = the source's own rate. A rate above the source's keeps
    /// every frame.
    package var framesPerSecond: Double?

    package init(frames: Int? = nil, framesPerSecond: Double? = nil) {
        self.frames = frames
        self.framesPerSecond = framesPerSecond
    }

    package static let all = FrameSelection()

    package static func uniform(_ frames: Int) -> FrameSelection { FrameSelection(frames: frames) }

    /// The frames taken of `count` frames at `sourceRate` a second (0 = unknown). They rise strictly. `path` is for the error.
    package func indices(of count: Int, sourceRate: Double, path: String) throws -> [Int] {
        var thinned: [Int]?
        if let framesPerSecond {
            guard sourceRate > 0 else {
                throw VidclassError.file(path, "its frame rate is not known, so it cannot be thinned out to \(framesPerSecond) a second")
            }
            let wanted = (Double(count) * framesPerSecond / sourceRate).rounded()
            if wanted < Double(count) { thinned = FrameSampling.uniform(max(1, Int(wanted)), of: count) }
        }
        guard let frames else { return thinned ?? Array(0..<count) }
        let chosen = FrameSampling.uniform(frames, of: thinned?.count ?? count)
        guard let thinned else { return chosen }
        return chosen.map { thinned[$0] }
    }
}

extension ShortClips {
    /// The frames, with repeats, that make `count` out of a clip of `frames` <= `count` frames, and how many of them are
    /// real: the rest, of a masked clip, repeat the last frame and are not to be counted.
    package func indices(_ count: Int, of frames: Int, path: String) throws -> (indices: [Int], valid: Int) {
        precondition(frames >= 1 && frames <= count, "\(frames) frames to be made \(count)")
        guard frames < count else { return (Array(0..<frames), frames) }
        switch self {
        case .loop: return ((0..<count).map { $0 % frames }, count)
        case .padLast: return ((0..<count).map { min($0, frames - 1) }, count)
        case .mask: return ((0..<count).map { min($0, frames - 1) }, frames)
        case .error:
            throw VidclassError.file(
                path, "expected at least \(count) frames, found \(frames); set data.short_clips to \"loop\", \"pad_last\" or \"mask\"")
        }
    }
}
