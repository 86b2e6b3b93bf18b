import VidConfig
import VidSystem
import VidTensor

extension ClipLoader {
    /// The frames that `view` takes from `count` frames at `rate` a second (0 = unknown). Throws for a clip that is too short if
    /// `short_clips` is `error`, for an unknown rate that is needed, and for a window past the end; `path` is for the error.
    ///
    /// Augmentation first reorders the chosen frames in time; then `shortClips` extends them to the model's number.
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
        if case .window = view, choice.range.upperBound < count { sufficient = choice.range.upperBound }
        return SampledFrames(
            indices: read, places: completed.map { placesRead[shown[$0]] }, validFrames: valid,
            framesPerSecond: Float(choice.framesPerSecond), sourceFrames: count, sufficientFrames: sufficient, augmentation: augmentation)
    }

    /// The clip that `view` takes from `whole`, which holds all frames of a file in the model's size. `path` is for errors.
    func sample(_ view: ClipView, of whole: Clip, path: String) throws -> LoadedClip {
        let sampled = try sample(view, of: whole.shape.frames, rate: Double(whole.framesPerSecond), path: path)
        return sampled.clip(of: whole.selecting(sampled.indices))
    }

    /// The places in the file of the frames that `view` takes, in the order of the clip; the frames that extend a short clip have the
    /// places of those they repeat.
    package func moments(_ view: ClipView = .whole, of length: ClipLength, path: String) throws -> [FrameMoment] {
        let sampled = try sample(view, of: length.frames, rate: length.framesPerSecond, path: path)
        return sampled.places.map { place in
            let frame = sampled.indices[place]
            return FrameMoment(frame: frame, seconds: length.framesPerSecond > 0 ? Double(frame) / length.framesPerSecond : nil)
        }
    }

    private func tooShort(_ choice: FrameSampler.Choice, _ path: String) -> VidclassError {
        let spread = choice.span > frames ? " (\(frames) of them, spaced as data.sampling defines)" : ""
        let found = choice.range.lowerBound > 0 ? "\(choice.range.count) in the window" : "\(choice.range.count)"
        return VidclassError.file(
            path,
            "expected at least \(choice.span) frames\(spread), found \(found); repeat short clips with "
                + "\(ShellText.setting("data.short_clips", "loop")) (or pad_last, mask)")
    }
}

/// The frames of a file that several views take together.
struct ViewsRule: FrameRule {
    let loader: ClipLoader
    let views: [ClipView]

    func indices(of count: Int, sourceRate: Double, path: String) throws -> [Int] {
        let sampled = try views.map { try loader.sample($0, of: count, rate: sourceRate, path: path).indices }
        return sampled.count == 1 ? sampled[0] : Array(Set(sampled.joined())).sorted()
    }
}
