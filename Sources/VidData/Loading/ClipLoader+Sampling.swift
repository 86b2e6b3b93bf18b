import VidConfig
import VidSystem
import VidTensor

extension ClipLoader {
    /// The samples that `view` takes from a clip's `frames`. Throws for a clip that is too short if `short_clips` is `error`, for an
    /// unknown rate that is needed, and for a window past the end; `path` is for the error.
    ///
    /// Augmentation first reorders the chosen frames in time; then `shortClips` extends them to the model's number.
    func sample(_ view: ClipView, of clip: ClipFrames, path: String) throws -> SampledFrames {
        let times = clip.times
        let choice = try sampler.choose(view, of: times, path: path)
        if shortClips == .error, choice.indices.count < frames { throw tooShort(choice, path) }
        let read = FrameSampling.unique(choice.indices)
        var placesRead: [Int] = []
        for index in choice.indices {
            let last = placesRead.last ?? 0
            placesRead.append(read[last] == index ? last : last + 1)
        }
        var augmentation: ClipAugmentation?
        if case .training(let seed, let stream) = view, self.augmentation.changesClips {
            augmentation = ClipAugmentation(self.augmentation, seed: seed, stream: stream, rows: rows, columns: columns)
        }
        let shown = augmentation?.places(choice.indices.count) ?? Array(0..<choice.indices.count)
        let (completed, valid) = try shortClips.indices(frames, of: shown.count, path: path)
        var sufficient: Int?
        if case .window = view, choice.range.upperBound < times.count { sufficient = clip.range.lowerBound + choice.range.upperBound }
        let places = completed.map { placesRead[shown[$0]] }
        return SampledFrames(
            indices: read.map { clip.range.lowerBound + $0 }, places: places, validFrames: valid,
            framesPerSecond: Float(choice.framesPerSecond),
            moments: places.map { clip.moment(of: read[$0]) }, sourceFrames: clip.count,
            sufficientFrames: sufficient, augmentation: augmentation)
    }

    /// The clip that `view` takes from `whole`, which holds all frames of a sound or of a caller's clip, from `start` seconds on, in the
    /// model's size. `path` is for errors.
    package func sample(_ view: ClipView, of whole: Clip, from start: Double, path: String) throws -> LoadedClip {
        let times = FrameTimes(count: whole.shape.frames, rate: Double(whole.framesPerSecond))
        let sampled = try sample(view, of: ClipFrames(times, from: start), path: path)
        return sampled.clip(of: whole.selecting(sampled.indices))
    }

    private func tooShort(_ choice: FrameSampler.Choice, _ path: String) -> VidclassError {
        let isWindow = choice.range.lowerBound > 0 ? " in the window" : ""
        let expected: String
        switch choice.need {
        case .frames(let span):
            let spread = span > frames ? " (\(frames) of them, spaced as data.sampling defines)" : ""
            expected = "\(span) frames\(spread), found \(choice.range.count)"
        case .seconds(let span):
            expected = "\(span) seconds (\(frames) frames, spaced as data.sampling defines), found \(choice.duration ?? 0)"
        }
        return VidclassError.file(
            path,
            "expected at least \(expected)\(isWindow); repeat short clips with \(ShellText.setting("data.short_clips", "loop")) "
                + "(or pad_last, mask)")
    }
}
