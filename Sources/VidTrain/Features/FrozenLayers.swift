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
    ///
    /// - Parameter sampling: how the loader of the clips takes frames.
    init?(_ predictor: Predictor, cache: (any FeatureCache)?, sampling: String) {
        guard let encoder = predictor.classifier.frozen else { return nil }
        self.predictor = predictor
        self.encoder = encoder
        kept = cache.map {
            let keys = FeatureKeys(
                encoder, parameters: predictor.classifier.parameters, preprocessing: predictor.preprocessing, sampling: sampling)
            return ($0, keys)
        }
    }

    /// Whether the content of the file at `path` is known: `recall` will most likely find its output.
    func isKnown(_ path: String) -> Bool { key(path) != nil }

    /// The output for the clip in the file at `path` where an earlier run has kept it and the file is as it was then: fills
    /// `output` (T, ...) and returns the frames that count.
    func recall(_ path: String, into output: Tensor) -> Int? {
        key(path).flatMap { kept?.cache.load($0, into: output) }
    }

    /// Loads the clip and runs the layers, unless its frames turn out to be known, under whatever name; keeps what it had to
    /// compute.
    func run(_ clips: LabelledClips, _ index: Int, into output: Tensor) async throws -> (validFrames: Int, isRecalled: Bool) {
        let clip = try await clips.source.clips([index])[0]
        guard let (cache, keys) = kept else {
            predictor.run(encoder, clip, into: output)
            return (clip.validFrames, false)
        }
        let hash = clip.contentHash
        cache.remember(hash, of: clips.source.paths[index], sampling: keys.sampling)
        let key = keys.key(contentHash: hash)
        if let validFrames = cache.load(key, into: output) { return (validFrames, true) }
        predictor.run(encoder, clip, into: output)
        cache.store(key, output, validFrames: clip.validFrames)
        return (clip.validFrames, false)
    }

    private func key(_ path: String) -> FeatureKey? {
        guard let (cache, keys) = kept else { return nil }
        return cache.contentHash(of: path, sampling: keys.sampling).map { keys.key(contentHash: $0) }
    }
}
