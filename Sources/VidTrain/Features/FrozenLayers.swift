import VidConfig
import VidData
import VidModel
import VidTensor

/// The frozen layers of a CNN, from the first one on: runs them on clips, or takes what an earlier run has kept of them.
///
/// Not for two threads at once.
final class FrozenLayers {
    private let classifier: Classifier
    private let encoder: FrameEncoder
    private let preprocessing: Preprocessing
    private let pass: Pass
    private let cache: (any FeatureCache)?
    private let keys: FeatureKeys

    /// Nil where the first layer is trained.
    ///
    /// - Parameters:
    ///   - cache: where outputs are kept from run to run; nil: nowhere.
    ///   - sampling: how the loader of the clips takes frames.
    init?(_ predictor: Predictor, cache: (any FeatureCache)?, sampling: String) {
        classifier = predictor.classifier
        guard let frozen = classifier.encoder.split().frozen else { return nil }
        encoder = frozen
        preprocessing = predictor.preprocessing
        pass = predictor.pass
        self.cache = cache
        keys = FeatureKeys(frozen, parameters: classifier.parameters, preprocessing: preprocessing, sampling: sampling)
    }

    /// The output for the clip in the file at `path` where an earlier run has kept it and the file is as it was then: fills
    /// `output` (T, ...) and returns the frames that count.
    func recall(_ path: String, into output: Tensor) -> Int? {
        guard let cache, let hash = cache.contentHash(of: path, sampling: keys.sampling) else { return nil }
        return cache.load(keys.key(contentHash: hash), into: output)
    }

    /// Loads the clip and runs the layers, unless its frames turn out to be known, under whatever name; keeps what it had to
    /// compute.
    func run(_ clips: LabelledClips, _ index: Int, into output: Tensor) async throws -> (validFrames: Int, isRecalled: Bool) {
        let path = clips.source.paths[index]
        let clip = try await clips.source.clips([index])[0]
        guard let cache else {
            encode(clip, into: output)
            return (clip.validFrames, false)
        }
        let hash = clip.contentHash
        cache.remember(hash, of: path, sampling: keys.sampling)
        let key = keys.key(contentHash: hash)
        if let validFrames = cache.load(key, into: output) { return (validFrames, true) }
        encode(clip, into: output)
        cache.store(key, output, validFrames: clip.validFrames)
        return (clip.validFrames, false)
    }

    private func encode(_ clip: LoadedClip, into output: Tensor) {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        encoder.encode(frames: Batch.frames([clip], classifier, preprocessing, pass), into: output, pass)
    }
}
