import VidConfig
import VidData
import VidModel
import VidTensor

/// Serves what the trained part of the network takes of the clips of one part: features or maps behind frozen layers, or
/// frames where no layer is frozen.
///
/// Behind frozen layers every taking of a clip is run through them once, before training, and kept in memory. Where memory
/// does not hold them, `gather` takes them from the cache, or runs the layers again; where each draw is a new taking, it
/// always runs them.
package final class StepInputs {
    package let clips: LabelledClips
    package let samples: SamplePlan
    private let predictor: Predictor
    let frozen: FrozenLayers?
    let store: FeatureStore?

    /// For `predictor`, or a training step that shares its memory.
    package convenience init(_ clips: LabelledClips, _ samples: SamplePlan, in predictor: Predictor, features: FeatureKeeping) throws {
        try self.init(
            clips, samples, in: predictor, frozen: FrozenLayers(predictor, cache: features.cache), keepsInMemory: features.keepsInMemory)
    }

    /// - Parameters:
    ///   - frozen: the predictor's frozen layers, which the inputs of several parts may share.
    ///   - keepsInMemory: whether their outputs are kept in memory.
    init(_ clips: LabelledClips, _ samples: SamplePlan, in predictor: Predictor, frozen: FrozenLayers?, keepsInMemory: Bool) throws {
        self.clips = clips
        self.samples = samples
        self.predictor = predictor
        self.frozen = frozen
        let classifier = predictor.classifier
        if frozen != nil, keepsInMemory, let perClip = samples.perClip {
            store = try FeatureStore(clips: clips.count * perClip, steps: classifier.frames, shape: classifier.trainedInputShape)
        } else {
            store = nil
        }
    }

    /// Whether `prepare` has something to do.
    package var needsPreparing: Bool { store != nil }

    /// SamplePlan that `prepare` runs.
    package var count: Int { clips.count * (samples.perClip ?? 0) }

    /// The draw of taking `item` of those that are the same each time, clip by clip.
    package func draw(item: Int) -> Draw {
        let perClip = samples.perClip ?? 1
        let clip = item / perClip
        return Draw(clip: clip, view: samples.view(item % perClip, of: clips.names[clip]))
    }

    /// The draw at a position of an epoch's order of clips.
    package func draw(clip: Int, epoch: Int, position: Int) -> Draw {
        Draw(clip: clip, view: samples.view(of: clips.names[clip], epoch: epoch, position: position))
    }

    /// Runs the frozen layers on every taking, if their outputs are kept in memory; those of earlier runs first.
    ///
    /// - Parameter progress: called after each one, with whether it was recalled; throws to stop.
    package func prepare(_ progress: (_ isRecalled: Bool) throws -> Void) async throws {
        guard let store, let frozen else { return }
        var missing: [Int] = []
        for item in 0..<count {
            if let validFrames = frozen.recall(clips, draw(item: item), into: store.clip(item)) {
                store.setValidFrames(validFrames, of: item)
                try progress(true)
            } else {
                missing.append(item)
            }
        }
        for (place, item) in missing.enumerated() {
            await clips.source.prefetch(missing[place..<min(missing.count, place + ClipSource.ahead)].map(draw(item:)))
            let (validFrames, isRecalled) = try await frozen.run(clips, draw(item: item), into: store.clip(item))
            store.setValidFrames(validFrames, of: item)
            try progress(isRecalled)
        }
        await clips.source.clear()
    }

    /// Writes what `draws` give into `batch` (B x T, ...) and returns how many frames of each count; starts loading what
    /// those of `next` need.
    package func gather(_ draws: [Draw], next: [Draw], into batch: Tensor) async throws -> [Int] {
        if let store {
            let items = draws.map(item)
            store.gather(items[...], into: batch)
            return items.map { store.validFrames[$0] }
        }
        guard let frozen else {
            let loaded = try await clips.source.clips(draws)
            await clips.source.prefetch(next)
            predictor.convert(loaded, into: batch)
            return loaded.map(\.validFrames)
        }
        // Only what is loaded is asked for: the source keeps a clip until somebody takes it.
        let frames = predictor.classifier.frames
        let outputs = draws.indices.map { batch.rows($0 * frames..<($0 + 1) * frames) }
        let isRepeated = samples.perClip != nil
        var validFrames = zip(draws, outputs).map { isRepeated ? frozen.recall(clips, $0, into: $1) : nil }
        await clips.source.prefetch(zip(draws, validFrames).compactMap { $1 == nil ? $0 : nil })
        for (place, draw) in draws.enumerated() where validFrames[place] == nil {
            validFrames[place] = try await frozen.run(clips, draw, into: outputs[place], isKept: isRepeated).validFrames
        }
        await clips.source.prefetch(isRepeated ? next.filter { !frozen.isKnown(clips, $0) } : next)
        return validFrames.compactMap(\.self)
    }

    /// The place of a draw's output in the store.
    private func item(_ draw: Draw) -> Int {
        let perClip = samples.perClip ?? 1
        let name = clips.names[draw.clip]
        guard let number = (0..<perClip).first(where: { samples.view($0, of: name) == draw.view }) else {
            preconditionFailure("\(draw) is none of the \(perClip) samples of a clip")
        }
        return draw.clip * perClip + number
    }
}
