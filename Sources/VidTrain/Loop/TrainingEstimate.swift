import VidData
import VidModel
import VidTensor

/// How long a stage will take, measured on a few of its clips and steps.
package struct TrainingEstimate: Sendable {
    /// Samples that the frozen layers must run on before the first epoch.
    package let encodings: Int
    /// For one of them, loading included; 0 where there is none.
    package let secondsPerEncoding: Double
    package let stepsPerEpoch: Int
    package let secondsPerStep: Double
    /// For the validation after an epoch.
    package let secondsPerValidation: Double
    /// Epochs that are still to come.
    package let epochs: Int

    package var secondsBefore: Double { Double(encodings) * secondsPerEncoding }
    package var secondsPerEpoch: Double { Double(stepsPerEpoch) * secondsPerStep + secondsPerValidation }
    package var seconds: Double { secondsBefore + Double(epochs) * secondsPerEpoch }
}

extension Trainer {
    /// Measures how long `run` will take. The weights change by a few steps: do not train on or save them afterwards.
    ///
    /// - Throws: what loading a clip throws, and `.nonFinite` from a step.
    package func estimate() async throws -> TrainingEstimate {
        let splits = [training, validation].filter(\.needsPreparing)
        let items = splits.flatMap { split in (0..<split.count).map { (split, $0) } }
        let left = items.filter { !$0.0.isKnown($0.1) }
        var secondsPerEncoding = 0.0
        if let first = left.first {
            // The first one is slower: it transforms kernels and touches memory.
            try await first.0.encode(first.1)
            let sample = left.count > 1 ? Array(left.dropFirst().prefix(3)) : [first]
            let start = ContinuousClock.now
            for (split, item) in sample { try await split.encode(item) }
            secondsPerEncoding = (ContinuousClock.now - start).seconds / Double(sample.count)
        }
        var times: [Double] = []
        let began = ContinuousClock.now
        while times.count < 2 || (times.count < 12 && (ContinuousClock.now - began).seconds < 2) {
            let start = ContinuousClock.now
            try await sampleStep()
            times.append((ContinuousClock.now - start).seconds)
        }
        let counted = times.dropFirst().sorted()
        return TrainingEstimate(
            encodings: left.count, secondsPerEncoding: secondsPerEncoding, stepsPerEpoch: stepsPerEpoch,
            secondsPerStep: counted[counted.count / 2], secondsPerValidation: try await secondsPerValidation(), epochs: epochsLeft)
    }

    private func secondsPerValidation() async throws -> Double {
        let items = validation.clips.count * (validation.plan.perClip ?? 1)
        guard items > 0 else { return 0 }
        let sample = min(items, validation.needsPreparing ? PredictionMemory.evaluationGroup : 3)
        let start = ContinuousClock.now
        step.nextBatch()
        let batch = step.context.workspace.take(classifier.trainedInputShape.prepending(sample * classifier.frames))
        var validFrames = [Int](repeating: classifier.frames, count: sample)
        if validation.needsPreparing {
            batch.fill(0.5)
        } else {
            validFrames = try await validation.gather((0..<sample).map(validation.sample(item:)), next: [], into: batch)
        }
        _ = predictor.logits(input: batch, validFrames: validFrames)
        return (ContinuousClock.now - start).seconds / Double(sample) * Double(items)
    }
}

extension StepInputs {
    /// Whether the output of a sample is most likely in the cache.
    func isKnown(_ item: Int) -> Bool { frozen?.isKnown(clips, sample(item: item)) ?? true }

    /// Loads a sample and runs the frozen layers on it, for the clock.
    func encode(_ item: Int) async throws {
        guard let frozen, let store else { return }
        _ = try await frozen.run(clips, sample(item: item), into: store.output(item), usesCache: false)
    }
}
