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
}

/// Chooses frames of a file once the number and rate of its frames are known.
package protocol FrameRule: Sendable {
    /// The chosen ones of `count` frames at `sourceRate` a second (0 = unknown): at least one, ascending, each once. `path` is for
    /// the error.
    func indices(of count: Int, sourceRate: Double, path: String) throws -> [Int]
}

/// The frames of a file that packing keeps.
package struct FrameSelection: FrameRule, Equatable {
    /// The largest number of frames, spread uniformly; nil = all.
    package let frames: Int?
    /// The rate to which frames are first reduced, uniformly; nil = the source's rate. A rate above the source's keeps every frame.
    package let framesPerSecond: Double?

    package init(frames: Int? = nil, framesPerSecond: Double? = nil) {
        self.frames = frames
        self.framesPerSecond = framesPerSecond
    }

    package static let all = FrameSelection()

    package static func uniform(_ frames: Int) -> FrameSelection { FrameSelection(frames: frames) }

    package func indices(of count: Int, sourceRate: Double, path: String) throws -> [Int] {
        var reduced: [Int]?
        if let framesPerSecond {
            guard sourceRate > 0 else {
                throw VidclassError.file(path, "its frame rate is not known, so it cannot be reduced to \(framesPerSecond) a second")
            }
            let wanted = (Double(count) * framesPerSecond / sourceRate).rounded()
            if wanted < Double(count) { reduced = FrameSampling.uniform(max(1, Int(wanted)), of: count) }
        }
        guard let frames else { return reduced ?? Array(0..<count) }
        let chosen = FrameSampling.uniform(frames, of: reduced?.count ?? count)
        guard let reduced else { return chosen }
        return chosen.map { reduced[$0] }
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
