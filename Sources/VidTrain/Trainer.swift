import VidConfig
import VidData
import VidModel
import VidTensor

/// The training loop: batches, forward, loss, backward, optimiser; validation after each epoch.
///
/// What stands before the first trained layer is run once on each clip, before the first epoch: with a frozen CNN the head
/// trains on features. Of the trained layers a step keeps the activations that fit into memory and makes the others again.
///
/// Its state (`state`, the parameters, the optimiser's slots) is complete between two steps: a trainer that starts from
/// a saved one continues as if it had never stopped. Nothing here sees a file format or a terminal.
package final class Trainer {
    package enum Outcome: Sendable { case finished, interrupted }

    package let classifier: Classifier
    package private(set) var state: TrainerState

    private let configuration: RunConfiguration
    private let training: StepInputs
    private let validation: StepInputs
    private let step: TrainingStep
    private let predictor: Predictor
    private let start = ContinuousClock.now
    private let secondsBefore: Double

    /// - Parameters:
    ///   - memory: what steps may take.
    ///   - features: how the outputs of frozen layers are kept.
    ///   - state: where to go on; the optimiser's slots and the parameters must be those saved with it.
    ///   - secondsBefore: time spent before the training was resumed, for the records.
    package init(
        _ classifier: Classifier, optimizer: any Optimizer, configuration: RunConfiguration, training: LabelledClips,
        validation: LabelledClips, memory: StepMemory, features: FeatureKeeping, workers: Workers, state: TrainerState,
        secondsBefore: Double = 0
    ) {
        self.classifier = classifier
        self.configuration = configuration
        self.state = state
        self.secondsBefore = secondsBefore
        step = TrainingStep(
            classifier, optimizer: optimizer, state: state.optimizer, labelSmoothing: configuration.training.labelSmoothing,
            memory: memory, workers: workers, random: state.dropoutRandom)
        let predictor = Predictor(classifier, preprocessing: configuration.data.preprocessing, workers: workers, in: step.pass)
        let frozen = FrozenLayers(predictor, cache: features.cache, sampling: training.source.sampling)
        func inputs(_ clips: LabelledClips) -> StepInputs {
            StepInputs(clips, in: predictor, frozen: frozen, keepsInMemory: features.keepsInMemory)
        }
        self.predictor = predictor
        self.training = inputs(training)
        self.validation = inputs(validation)
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
        let epochs = configuration.training.epochs
        if state.epoch < epochs, training.needsPreparing {
            guard try await encodeAll(shouldStop, handle) else {
                try handle(.interrupted)
                return .interrupted
            }
        }
        while state.epoch < epochs {
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
        let count = training.clips.count
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
        let labels = indices.map { training.clips.labels[$0] }
        step.begin()
        do {
            let batch = step.pass.workspace.take(classifier.trainedInputShape.prepending(indices.count * classifier.frames))
            let validFrames = try await training.gather(indices, next: next, into: batch)
            let result = try step.train(input: batch, validFrames: validFrames, labels: labels)
            state.running.loss += result.loss
            state.running.correct += result.correct
            state.running.clips += indices.count
        } catch let error as TrainingStep.NonFinite {
            let names = indices.prefix(4).map { training.clips.names[$0] }.joined(separator: ", ") + (indices.count > 4 ? ", ..." : "")
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
        guard validation.clips.count > 0 else { return nil }
        return try await predictor.evaluate(validation) { done, total in
            if done < total, shouldStop() { throw Stopped() }
            try handle(.validating(clipsDone: done, clips: total))
        }
    }

    /// A validation was given up: the epoch's steps are all done, and a resumed training starts with it. Or an encoding was.
    private struct Stopped: Error {}

    /// Encodes every clip of both parts once; false when it was asked to stop.
    private func encodeAll(_ shouldStop: () -> Bool, _ handle: (TrainingEvent) throws -> Void) async throws -> Bool {
        let start = ContinuousClock.now
        var encoding = EncodingProgress(clips: training.clips.count + validation.clips.count)
        do {
            for part in [training, validation] {
                try await part.prepare { isRecalled in
                    encoding.count(isRecalled: isRecalled, seconds: (ContinuousClock.now - start).seconds)
                    try handle(.encoding(encoding))
                    if shouldStop(), encoding.clipsDone < encoding.clips { throw Stopped() }
                }
            }
        } catch is Stopped {
            return false
        }
        return true
    }
}

extension Duration {
    /// In seconds.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
