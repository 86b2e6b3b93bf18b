import VidConfig
import VidData
import VidModel
import VidTensor

/// The frozen layers of a CNN, from the first one on: runs them on clips, or takes what an earlier run has kept of them.
///
/// Not for two threads at once.
final class FrozenLayers {
    private let predictor: Predictor
    private let encoder: FrameEncoder
    /// Where outputs are kept from run to run, and under which keys; nil: nowhere.
    private let kept: (cache: any FeatureCache, keys: FeatureKeys)?

    /// Nil where the first layer is trained.
    init?(_ predictor: Predictor, cache: (any FeatureCache)?) {
        guard let encoder = predictor.classifier.frozen else { return nil }
        self.predictor = predictor
        self.encoder = encoder
        kept = cache.map {
            ($0, FeatureKeys(encoder, parameters: predictor.classifier.parameters, preprocessing: predictor.preprocessing))
        }
    }

    /// Whether the content of the draw's file is known: `recall` will most likely find its output.
    func isKnown(_ clips: LabelledClips, _ draw: Draw) -> Bool { key(clips, draw) != nil }

    /// The output for the draw where an earlier run has kept it and the file is as it was then: fills `output` (T, ...) and
    /// returns the frames that count.
    func recall(_ clips: LabelledClips, _ draw: Draw, into output: Tensor) -> Int? {
        key(clips, draw).flatMap { kept?.cache.load($0, into: output) }
    }

    /// Loads the clip and runs the layers, unless its frames turn out to be known, under whatever name; keeps what it had to
    /// compute.
    ///
    /// - Parameter isKept: whether the cache is asked and told; not for takings that will not be seen again.
    func run(
        _ clips: LabelledClips, _ draw: Draw, into output: Tensor, isKept: Bool = true
    ) async throws -> (validFrames: Int, isRecalled: Bool) {
        let clip = try await clips.source.clips([draw])[0]
        guard isKept, let (cache, keys) = kept else {
            predictor.run(encoder, clip, into: output)
            return (clip.validFrames, false)
        }
        let hash = clip.contentHash
        let sampling = clips.source.sampling(draw)
        cache.remember(hash, of: clips.source.paths[draw.clip], sampling: sampling)
        let key = keys.key(contentHash: hash, sampling: sampling)
        if let validFrames = cache.load(key, into: output) { return (validFrames, true) }
        predictor.run(encoder, clip, into: output)
        cache.store(key, output, validFrames: clip.validFrames)
        return (clip.validFrames, false)
    }

    private func key(_ clips: LabelledClips, _ draw: Draw) -> FeatureKey? {
        guard let (cache, keys) = kept else { return nil }
        let sampling = clips.source.sampling(draw)
        return cache.contentHash(of: clips.source.paths[draw.clip], sampling: sampling).map {
            keys.key(contentHash: $0, sampling: sampling)
        }
    }
}
