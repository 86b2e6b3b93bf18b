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
    private let predictor: Predictor
    private let frozen: FrozenLayers?
    private let store: FeatureStore?

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
        self.predictor = predictor
        self.frozen = frozen
        let classifier = predictor.classifier
        store =
            frozen != nil && keepsInMemory
            ? FeatureStore(clips: clips.count, steps: classifier.frames, shape: classifier.trainedInputShape) : nil
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
        guard let frozen else {
            let loaded = try await clips.source.clips(Array(indices))
            await clips.source.prefetch(Array(next))
            predictor.convert(loaded, into: batch)
            return loaded.map(\.validFrames)
        }
        // Only what is loaded is asked for: the source keeps a clip until somebody takes it.
        let frames = predictor.classifier.frames
        let outputs = indices.indices.map { batch.rows(($0 - indices.startIndex) * frames..<($0 - indices.startIndex + 1) * frames) }
        var validFrames = zip(indices, outputs).map { frozen.recall(clips.source.paths[$0], into: $1) }
        await clips.source.prefetch(zip(indices, validFrames).compactMap { $1 == nil ? $0 : nil })
        for (place, index) in indices.enumerated() where validFrames[place] == nil {
            validFrames[place] = try await frozen.run(clips, index, into: outputs[place]).validFrames
        }
        await clips.source.prefetch(next.filter { !frozen.isKnown(clips.source.paths[$0]) })
        return validFrames.compactMap(\.self)
    }
}
