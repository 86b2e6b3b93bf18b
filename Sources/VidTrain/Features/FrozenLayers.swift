import VidConfig
import VidData
import VidModel
import VidTensor

/// The frozen layers of a CNN, from the first one on. Their outputs come from the cache or from running the layers on a clip. Without a
/// CNN there is only a flattening or a standardization, which is faster than the cache.
///
/// Not thread-safe.
final class FrozenLayers {
    private let predictor: Predictor
    private let encoder: FrameEncoder
    private let stored: (cache: any FeatureCache, keys: FeatureKeys)?

    /// Returns nil where the first layer is trained.
    init?(_ predictor: Predictor, cache: (any FeatureCache)?) {
        guard let encoder = predictor.classifier.frozen else { return nil }
        self.predictor = predictor
        self.encoder = encoder
        stored = cache.flatMap { cache in
            predictor.classifier.configuration.cnn.map { cnn in
                let keys = FeatureKeys(
                    encoder, of: cnn, parameters: predictor.classifier.parameters, preprocessing: predictor.preprocessing)
                return (cache, keys)
            }
        }
    }

    /// Whether the content of the sample's file is known, so that `recall` most likely finds its output.
    func isKnown(_ clips: LabelledClips, _ sample: Sample) -> Bool { key(clips, sample) != nil }

    /// Fills `output` (T, ...) from the cache and returns how many of its frames are not padding; nil where the cache has no
    /// output for the file as it is now.
    func recall(_ clips: LabelledClips, _ sample: Sample, into output: Tensor) -> Int? {
        key(clips, sample).flatMap { stored?.cache.load($0, into: output) }
    }

    /// Loads the clip and fills `output` (T, ...): from the cache where it knows these frames from another file, or else by
    /// running the layers and storing the result.
    ///
    /// - Parameter usesCache: false for samples that will not be seen again.
    func run(
        _ clips: LabelledClips, _ sample: Sample, into output: Tensor, usesCache: Bool = true
    ) async throws -> (validFrames: Int, isRecalled: Bool) {
        let clip = try await clips.source.clips([sample])[0]
        guard usesCache, let (cache, keys) = stored else {
            predictor.run(encoder, clip, into: output)
            return (clip.validFrames, false)
        }
        let hash = clip.contentHash
        let sampling = clips.source.sampling(sample)
        cache.remember(hash, of: clips.source.paths[sample.clip], sampling: sampling)
        let key = keys.key(contentHash: hash, sampling: sampling)
        if let validFrames = cache.load(key, into: output) { return (validFrames, true) }
        predictor.run(encoder, clip, into: output)
        cache.store(key, output, validFrames: clip.validFrames)
        return (clip.validFrames, false)
    }

    /// Makes the known contents of clips available to later runs.
    func save() { stored?.cache.save() }

    private func key(_ clips: LabelledClips, _ sample: Sample) -> FeatureKey? {
        guard let (cache, keys) = stored else { return nil }
        let sampling = clips.source.sampling(sample)
        return cache.contentHash(of: clips.source.paths[sample.clip], sampling: sampling).map {
            keys.key(contentHash: $0, sampling: sampling)
        }
    }
}
