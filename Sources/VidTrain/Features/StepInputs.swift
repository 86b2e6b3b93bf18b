import VidConfig
import VidData
import VidModel
import VidTensor

/// Serves what the trained part of the network takes of the clips of one part: features or maps behind frozen layers, or
/// frames where no layer is frozen.
///
/// Behind frozen layers every clip is run through them once, before training, and kept in memory. Where memory does not
/// hold them, `gather` takes them from the cache, or runs the layers again.
package final class StepInputs {
    package let clips: LabelledClips
    private let classifier: Classifier
    private let preprocessing: Preprocessing
    private let frozen: FrozenLayers?
    private let pass: Pass
    private let store: FeatureStore?
    /// Clips whose outputs are in the cache.
    private var isKept: [Bool]

    /// For `predictor`, or a training step that shares its memory.
    package convenience init(_ clips: LabelledClips, in predictor: Predictor, features: FeatureKeeping) {
        self.init(
            clips, in: predictor, frozen: FrozenLayers(predictor, cache: features.cache, sampling: clips.source.sampling),
            keepsInMemory: features.keepsInMemory)
    }

    /// - Parameters:
    ///   - frozen: the predictor's frozen layers, which the inputs of several parts may share.
    ///   - keepsInMemory: whether their outputs are kept in memory.
    init(_ clips: LabelledClips, in predictor: Predictor, frozen: FrozenLayers?, keepsInMemory: Bool) {
        self.clips = clips
        classifier = predictor.classifier
        preprocessing = predictor.preprocessing
        pass = predictor.pass
        self.frozen = frozen
        store =
            frozen != nil && keepsInMemory
            ? FeatureStore(clips: clips.count, steps: classifier.frames, shape: classifier.trainedInputShape) : nil
        isKept = [Bool](repeating: false, count: clips.count)
    }

    /// Clips to ask for at a time where there is a choice: few where frames must be loaded for them.
    package var batchSize: Int { store == nil ? 1 : 64 }

    /// Whether `prepare` has something to do.
    package var needsPreparing: Bool { store != nil }

    /// Runs the frozen layers on every clip, if their outputs are kept in memory; those of earlier runs first.
    ///
    /// - Parameter progress: called after each clip, with whether it was recalled; throws to stop.
    package func prepare(_ progress: (_ isRecalled: Bool) throws -> Void) async throws {
        guard let store, let frozen else { return }
        var missing: [Int] = []
        for index in 0..<clips.count {
            if let validFrames = frozen.recall(clips.source.paths[index], into: store.clip(index)) {
                store.setValidFrames(validFrames, of: index)
                try progress(true)
            } else {
                missing.append(index)
            }
        }
        for (place, index) in missing.enumerated() {
            await clips.source.prefetch(missing[place..<min(missing.count, place + ClipSource.ahead)])
            let (validFrames, isRecalled) = try await frozen.run(clips, index, into: store.clip(index))
            store.setValidFrames(validFrames, of: index)
            try progress(isRecalled)
        }
        await clips.source.clear()
    }

    /// Writes what the clips at `indices` give into `batch` (B x T, ...) and returns how many frames of each count; starts
    /// loading what those at `next` need.
    package func gather(_ indices: ArraySlice<Int>, next: ArraySlice<Int>, into batch: Tensor) async throws -> [Int] {
        if let store {
            store.gather(indices, into: batch)
            return indices.map { store.validFrames[$0] }
        }
        await clips.source.prefetch(indices.filter { !isKept[$0] })
        guard let frozen else {
            let loaded = try await clips.source.clips(Array(indices))
            await clips.source.prefetch(Array(next))
            Batch.convert(loaded, classifier, preprocessing, into: batch, pass)
            return loaded.map(\.validFrames)
        }
        var validFrames: [Int] = []
        for (place, index) in indices.enumerated() {
            let output = batch.rows(place * classifier.frames..<(place + 1) * classifier.frames)
            if let valid = frozen.recall(clips.source.paths[index], into: output) {
                isKept[index] = true
                validFrames.append(valid)
            } else {
                isKept[index] = false
                validFrames.append(try await frozen.run(clips, index, into: output).validFrames)
            }
        }
        await clips.source.prefetch(next.filter { !isKept[$0] })
        return validFrames
    }
}
