import VidSystem

/// A sample as the network sees it: a fixed number of frames of a fixed size.
package struct LoadedClip: Sendable, Equatable {
    package let clip: Clip
    /// The number of frames that count, less than `clip.shape.frames` only under `ShortClips.mask`.
    package let validFrames: Int
    /// The number of frames of the clip from which these were chosen.
    package let sourceFrames: Int
    /// The places of the frames in the file, in the order of the clip; the frames that extend a short clip have the places of those
    /// they repeat. Empty for a clip that was not loaded from a file.
    package let moments: [FrameMoment]

    package init(clip: Clip, validFrames: Int, sourceFrames: Int, moments: [FrameMoment] = []) {
        precondition((1...clip.shape.frames).contains(validFrames), "\(validFrames) valid frames of \(clip.shape.frames)")
        self.clip = clip
        self.validFrames = validFrames
        self.sourceFrames = sourceFrames
        self.moments = moments
    }

    /// The rate of the sampled frames; 0 = unknown.
    package var framesPerSecond: Float { clip.framesPerSecond }

    /// SHA-256 of the sampled frames, which identifies the content in a feature cache's key.
    package var contentHash: String { clip.contentHash }
}

/// The frames of a file that make the clip of a view, and the changes to them.
struct SampledFrames: Sendable {
    /// The frames to read, by their numbers in the file, ascending, each once.
    let indices: [Int]
    /// For each frame of the clip, its place in `indices`.
    let places: [Int]
    /// The number of frames that count, less than `places.count` only under `ShortClips.mask`.
    let validFrames: Int
    /// 0 = unknown.
    let framesPerSecond: Float
    /// For each frame of the clip, its place in the file.
    let moments: [FrameMoment]
    /// The number of frames of the clip from which these were chosen.
    let sourceFrames: Int
    /// Every file that has at least this many frames gives this clip; nil if the clip depends on their number.
    let sufficientFrames: Int?
    /// Nil if pixels are not changed.
    let augmentation: ClipAugmentation?

    /// Makes the view's clip from `clip`, which holds the frames at `indices` of the file.
    func clip(of clip: Clip) -> LoadedClip {
        precondition(clip.shape.frames == indices.count, "expected \(indices.count) frames to sample from, found \(clip.shape.frames)")
        let changed = augmentation?.changePixels(clip) ?? clip
        return LoadedClip(
            clip: changed.selecting(places, framesPerSecond: framesPerSecond), validFrames: validFrames, sourceFrames: sourceFrames,
            moments: moments)
    }
}
