import VidConfig
import VidSystem
import VidTensor

/// Which frames of a file make the clip of a view, and what is done to them.
struct SampledFrames: Sendable {
    /// The frames to read: rising, each once.
    let indices: [Int]
    /// For each frame of the clip, its place in `indices`.
    let places: [Int]
    /// Frames that count; fewer than `places.count` only under `ShortClips.mask`.
    let validFrames: Int
    /// 0 = unknown.
    let framesPerSecond: Float
    /// The frames of the file.
    let sourceFrames: Int
    /// A file with at least so many frames gives this very clip; nil where it depends on their number.
    let sufficientFrames: Int?
    /// Nil where pixels are not changed.
    let augmentation: ClipAugmentation?

    /// The clip, made of `clip`, which holds frames `indices` of the file.
    func clip(of clip: Clip) -> LoadedClip {
        precondition(clip.shape.frames == indices.count, "\(clip.shape.frames) frames for \(indices.count) to be sampled from")
        let changed = augmentation?.changePixels(clip) ?? clip
        return LoadedClip(
            clip: changed.selecting(places, framesPerSecond: framesPerSecond), validFrames: validFrames, sourceFrames: sourceFrames)
    }
}

extension ClipLoader {
    /// What `view` takes of `count` frames at `rate` a second (0 = unknown). `path` is for errors: a clip too short where
    /// `short_clips` is `error`, a rate that must be known, a window past the end.
    ///
    /// Chosen frames are first changed in time, then completed to the model's number by `shortClips`.
    func sample(_ view: ClipView, of count: Int, rate: Double, path: String) throws -> SampledFrames {
        let choice = try sampler.choose(view, of: count, rate: rate, path: path)
        if shortClips == .error, choice.indices.count < frames { throw tooShort(choice, path) }
        var read: [Int] = []
        var placesRead: [Int] = []
        for index in choice.indices {
            if read.last != index { read.append(index) }
            placesRead.append(read.count - 1)
        }
        var augmentation: ClipAugmentation?
        if case .training(let seed, let stream) = view, self.augmentation.changesClips {
            augmentation = ClipAugmentation(self.augmentation, seed: seed, stream: stream, rows: rows, columns: columns)
        }
        let shown = augmentation?.places(choice.indices.count) ?? Array(0..<choice.indices.count)
        let (completed, valid) = try shortClips.indices(frames, of: shown.count, path: path)
        var sufficient: Int?
        if case .window = view, choice.stretch.upperBound < count { sufficient = choice.stretch.upperBound }
        return SampledFrames(
            indices: read, places: completed.map { placesRead[shown[$0]] }, validFrames: valid,
            framesPerSecond: Float(choice.framesPerSecond), sourceFrames: count, sufficientFrames: sufficient, augmentation: augmentation)
    }

    /// The clip that `view` takes of `whole`, all frames of a file in memory. `path` is for errors.
    ///
    /// Rows, columns and channels must be the model's already.
    func take(_ view: ClipView, of whole: Clip, path: String) throws -> LoadedClip {
        let sampled = try sample(view, of: whole.shape.frames, rate: Double(whole.framesPerSecond), path: path)
        return sampled.clip(of: whole.selecting(sampled.indices))
    }

    private func tooShort(_ choice: FrameSampler.Choice, _ path: String) -> VidclassError {
        let spread = choice.span > frames ? " (\(frames) of them, as far apart as data.sampling says)" : ""
        let found = choice.stretch.lowerBound > 0 ? "\(choice.stretch.count) in the window" : "\(choice.stretch.count)"
        return VidclassError.file(
            path,
            "expected at least \(choice.span) frames\(spread), found \(found); set data.short_clips to \"loop\", \"pad_last\" or \"mask\"")
    }
}

/// The frames that views of a file take together.
struct ViewsRule: FrameRule {
    let loader: ClipLoader
    let views: [ClipView]

    func indices(of count: Int, sourceRate: Double, path: String) throws -> [Int] {
        let sampled = try views.map { try loader.sample($0, of: count, rate: sourceRate, path: path).indices }
        return sampled.count == 1 ? sampled[0] : Array(Set(sampled.joined())).sorted()
    }
}
