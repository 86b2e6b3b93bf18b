import VidConfig
import VidData
import VidModel
import VidTensor

/// The training loop: batches, forward, loss, backward, optimiser; validation after each epoch.
///
/// With a frozen CNN each clip is encoded once, before the first epoch, and the head trains on the features. A trained
/// CNN encodes the frames of a batch without keeping activations and goes back over them a chunk at a time.
///
/// Its state (`state`, the parameters, the optimiser's slots) is complete between two steps: a trainer that starts from
/// a saved one continues as if it had never stopped. Nothing here sees a file format or a terminal.
package final class Trainer {
    package enum Outcome: Sendable { case finished, interrupted }

    package let classifier: Classifier
    package private(set) var state: TrainerState

    private let configuration: RunConfiguration
    private let training: LabelledClips
    private let validation: LabelledClips
    private let step: TrainingStep
    private let predictor: Predictor
    private let start = ContinuousClock.now
    private let secondsBefore: Double

    /// Features of the training and validation clips behind a frozen CNN.
    private var trainingFeatures: FeatureStore?
    private var validationFeatures: FeatureStore?

    /// - Parameters:
    ///   - state: where to go on; the optimiser's slots and the parameters must be those saved with it.
    ///   - secondsBefore: time spent before the training was resumed, for the records.
    package init(
        _ classifier: Classifier, optimizer: any Optimizer, configuration: RunConfiguration, training: LabelledClips,
        validation: LabelledClips, workers: Workers, state: TrainerState, secondsBefore: Double = 0
    ) {
        self.classifier = classifier
        self.configuration = configuration
        self.training = training
        self.validation = validation
        self.state = state
        self.secondsBefore = secondsBefore
        step = TrainingStep(
            classifier, optimizer: optimizer, state: state.optimizer, labelSmoothing: configuration.training.labelSmoothing,
            workers: workers, random: state.dropoutRandom)
        predictor = Predictor(classifier, preprocessing: configuration.data.preprocessing, workers: workers)
    }

    /// Trains up to the configured number of epochs.
    ///
    /// - Parameters:
    ///   - shouldStop: asked between steps; true ends the training with `.interrupted`.
    ///   - handle: receives the events; an error that it throws ends the training.
    /// - Throws: `.nonFinite` when a loss or gradient is not finite, and what loading a clip throws.
    package func run(
        shouldStop: @Sendable () -> Bool, handle: (TrainingEvent) throws -> Void
    ) async throws -> Outcome {
        if !classifier.trainsCNN {
            guard try await encodeAll(shouldStop, handle) else {
                try handle(.interrupted)
                return .interrupted
            }
        }
        while state.epoch < configuration.training.epochs {
            guard try await runEpoch(shouldStop, handle) else {
                try handle(.interrupted)
                return .interrupted
            }
        }
        return .finished
    }

    package var optimizer: any Optimizer { step.optimizer }

    private var secondsSinceStart: Double { secondsBefore + (ContinuousClock.now - start).seconds }

    // MARK: An epoch

    /// One epoch, or what is left of it; false when it was asked to stop.
    private func runEpoch(_ shouldStop: () -> Bool, _ handle: (TrainingEvent) throws -> Void) async throws -> Bool {
        let count = training.count
        let batchSize = configuration.training.batchSize
        if state.order.isEmpty {
            state.order = configuration.training.shuffle ? state.orderRandom.permutation(count) : Array(0..<count)
        }
        let epochStart = ContinuousClock.now
        let clipsBefore = state.running.clips
        while state.step * batchSize < count {
            if shouldStop() { return false }
            let range = state.step * batchSize..<min(count, (state.step + 1) * batchSize)
            try await train(state.order[range], next: state.order[range.upperBound..<min(count, range.upperBound + batchSize)])
            state.step += 1
            let elapsed = (ContinuousClock.now - epochStart).seconds
            let rate = Double(state.running.clips - clipsBefore) / max(elapsed, 1e-9)
            try handle(
                .batch(
                    BatchProgress(
                        epoch: state.epoch + 1, epochs: configuration.training.epochs, clipsDone: state.running.clips, clips: count,
                        loss: state.running.meanLoss, accuracy: state.running.accuracy, clipsPerSecond: rate,
                        secondsLeft: Double(count - state.running.clips) / rate)))
        }
        let evaluation: Evaluation?
        do {
            evaluation = try await evaluate(shouldStop, handle)
        } catch is Stopped {
            return false
        }
        let record = EpochRecord(
            epoch: state.epoch + 1, seconds: secondsSinceStart, trainLoss: state.running.meanLoss,
            trainAccuracy: state.running.accuracy, validationLoss: evaluation?.loss, validationAccuracy: evaluation?.accuracy,
            learningRate: Double(configuration.optimizer.learningRate))
        let (accuracy, loss) = (evaluation?.accuracy ?? record.trainAccuracy, evaluation?.loss ?? record.trainLoss)
        guard loss.isFinite, record.trainLoss.isFinite else {
            throw VidclassError(
                .nonFinite,
                "epoch \(record.epoch): the loss is \(record.trainLoss) in training and \(loss) after it. "
                    + "Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
        }
        let isBest = state.best?.isBeaten(by: accuracy, loss: loss) ?? true
        if isBest { state.best = BestEpoch(epoch: record.epoch, loss: loss, accuracy: accuracy) }
        state.epoch += 1
        state.step = 0
        state.order = []
        state.running = RunningMetrics()
        try handle(.epoch(record, isBest: isBest))
        return true
    }

    // MARK: A step

    /// Forward, loss, backward and update on the training clips `indices`; starts loading those of the `next` step.
    private func train(_ indices: ArraySlice<Int>, next: ArraySlice<Int>) async throws {
        let labels = indices.map { training.labels[$0] }
        step.begin()
        do {
            let result: TrainingStep.Result
            if let store = trainingFeatures {
                let features = step.pass.workspace.take([indices.count, classifier.frames, classifier.features])
                store.gather(indices, into: features)
                result = try step.train(features: features, validFrames: indices.map { store.validFrames[$0] }, labels: labels)
            } else {
                let clips = try await training.source.clips(Array(indices))
                await training.source.prefetch(Array(next))
                let frames = Batch.frames(clips, classifier, configuration.data.preprocessing, step.pass)
                result = try step.train(frames: frames, validFrames: clips.map(\.validFrames), labels: labels)
            }
            state.running.loss += result.loss
            state.running.correct += result.correct
            state.running.clips += indices.count
        } catch let error as TrainingStep.NonFinite {
            let names = indices.prefix(4).map { training.names[$0] }.joined(separator: ", ") + (indices.count > 4 ? ", ..." : "")
            throw VidclassError(
                .nonFinite,
                "epoch \(state.epoch + 1), batch \(state.step + 1): \(error.text) (clips \(names)). "
                    + "Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
        }
        state.dropoutRandom = step.pass.random
        state.optimizer = step.optimizerState
    }

    // MARK: Evaluation and encoding

    /// The classifier as it is now on the validation part; nil where there is none.
    private func evaluate(_ shouldStop: () -> Bool, _ handle: (TrainingEvent) throws -> Void) async throws -> Evaluation? {
        guard validation.count > 0 else { return nil }
        if let store = validationFeatures {
            return predictor.evaluate(validation, features: store, batchSize: 64)
        }
        return try await predictor.evaluate(validation) { done, total in
            if done < total, shouldStop() { throw Stopped() }
            try handle(.validating(clipsDone: done, clips: total))
        }
    }

    /// A validation was given up; the epoch's steps are all done, and a resumed training starts with it.
    private struct Stopped: Error {}

    /// Encodes every clip of both parts once; false when it was asked to stop.
    private func encodeAll(_ shouldStop: () -> Bool, _ handle: (TrainingEvent) throws -> Void) async throws -> Bool {
        let total = training.count + validation.count
        let encodeStart = ContinuousClock.now
        var done = 0
        for part in [training, validation] {
            let store = FeatureStore(clips: part.count, steps: classifier.frames, features: classifier.features)
            for index in 0..<part.count {
                if shouldStop() { return false }
                await part.source.prefetch(index..<min(part.count, index + 4))
                let clip = try await part.source.clips([index])[0]
                predictor.encode(clip, into: store.clip(index))
                store.setValidFrames(clip.validFrames, of: index)
                done += 1
                let rate = Double(done) / max((ContinuousClock.now - encodeStart).seconds, 1e-9)
                try handle(.encoding(clipsDone: done, clips: total, clipsPerSecond: rate))
            }
            await part.source.clear()
            if part === training { trainingFeatures = store } else { validationFeatures = store }
        }
        return true
    }
}

extension Duration {
    /// In seconds.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
