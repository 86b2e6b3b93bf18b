import VidCluster
import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

/// The training loop of one stage: batches, forward, loss, backward, optimiser; validation and callbacks after each epoch.
///
/// The layers before the first trained one run once on each sample, before the first epoch, unless each sample is new: with a
/// frozen CNN the head trains on features. Of the trained layers, a step keeps the activations that fit into memory and
/// recomputes the others.
///
/// Its state (`state`, the parameters, the optimiser's slots) is complete between two steps: a trainer that starts from a saved
/// state gives exactly the result of an uninterrupted one. Nothing here knows a file format or a terminal.
package final class Trainer {
    package enum Outcome: Sendable, Equatable {
        case finished(StageEnd)
        case interrupted
    }

    package let classifier: Classifier
    package internal(set) var state: TrainerState
    /// Decides which epoch is the best.
    package let monitor: Monitor
    let step: TrainingStep
    let predictor: Predictor
    let training: StepInputs
    let validation: StepInputs
    let shards: StepShards
    /// The ranks that take part in what this trainer computes together with others: encoding, steps, validation.
    let cluster: any Cluster
    /// Whether the ranks share out the steps. They don't where the head alone is trained, on features in memory: rank 0 does that by
    /// itself, which is faster than sending the gradients.
    package let sharesSteps: Bool

    let configuration: RunConfiguration
    private let plan: StagePlan
    private let plateauMonitor: Monitor
    private let schedule: LearningRateSchedule
    let classWeights: [Float]?
    /// Whether the parameters' gradients are those of the last step: at the end of an epoch, unless this process has not run that step.
    package internal(set) var holdsGradients = false
    /// Times of the current epoch.
    var times = EpochTimes()
    private var validationSeconds = 0.0
    private let start = ContinuousClock.now
    private let secondsBefore: Double
    /// Whether the features that `validation` holds in memory have been computed.
    private var isEncoded = false

    /// - Parameters:
    ///   - memory: the memory of a step.
    ///   - features: where the outputs of frozen layers are stored.
    ///   - cluster: the ranks that train together, each with a trainer of the same configuration, clips, weights and state.
    ///   - state: the state to start from; the optimiser's slots and the parameters must be those saved with it.
    ///   - secondsBefore: the training's time before it was resumed, for the records.
    /// - Throws: `.badData` where the configuration names a class that the data does not have, or weighs all classes 0.
    package init(
        _ classifier: Classifier, optimizer: Optimizer, configuration: RunConfiguration, training: LabelledClips,
        validation: LabelledClips, memory: StepMemory, features: FeatureStorage, workers: Workers, cluster: any Cluster = Alone(),
        state: TrainerState, secondsBefore: Double = 0
    ) throws {
        self.classifier = classifier
        self.configuration = configuration
        self.state = state
        self.secondsBefore = secondsBefore
        plan = configuration.stagePlans[state.stage]
        classWeights = try ClassWeighting.weights(
            configuration.training.classWeights, classes: classifier.classes, labels: training.labels)
        step = try TrainingStep(
            classifier, optimizer: optimizer, state: state.optimizer, labelSmoothing: configuration.training.labelSmoothing,
            memory: memory, workers: workers, random: state.dropoutRandom)
        let predictor = Predictor(classifier, preprocessing: configuration.data.preprocessing, in: step.context)
        let frozen = FrozenLayers(predictor, cache: features.cache)
        func inputs(_ clips: LabelledClips, _ plan: SamplePlan) throws -> StepInputs {
            try StepInputs(clips, plan, in: predictor, frozen: frozen, keepsInMemory: features.keepsInMemory)
        }
        self.predictor = predictor
        self.training = try inputs(training, .training(configuration, behindFrozenLayers: frozen != nil))
        self.validation = try inputs(validation, .evaluation(configuration))
        self.cluster = cluster
        sharesSteps = cluster.isShared && (classifier.trained != nil || !self.training.needsPreparing)
        shards = try StepShards(
            configuration.training.shards, of: classifier.parameters, in: sharesSteps ? cluster : Alone(), workers)
        let hasValidation = validation.count > 0
        let classes = classifier.classes
        monitor = try Monitor(
            configuration.training.monitor, mode: configuration.training.mode, classes: classes, hasValidation: hasValidation)
        plateauMonitor = try Monitor(configuration.training.reduceOnPlateau.monitor, classes: classes, hasValidation: hasValidation)
        let clipsPerStep = configuration.clipsPerStep
        schedule = LearningRateSchedule(
            configuration.training.schedule, epochs: plan.epochs, stepsPerEpoch: (training.count + clipsPerStep - 1) / clipsPerStep)
    }

    /// Refuses class weights and monitored metrics of classes that the data does not have, and class weights that are all 0, before
    /// anything is built.
    ///
    /// - Parameter labels: of the training clips.
    package static func checkClasses(_ configuration: TrainingConfiguration, _ classes: [String], labels: [Int]) throws {
        _ = try ClassWeighting.weights(configuration.classWeights, classes: classes, labels: labels)
        for metric in [configuration.monitor, configuration.reduceOnPlateau.monitor] {
            _ = try Monitor(metric, classes: classes, hasValidation: true)
        }
    }

    package var optimizer: Optimizer { step.optimizer }

    /// The reason why the stage is over; nil while it is not.
    package var end: StageEnd? {
        if state.epochsOfStage >= plan.epochs { return .epochs }
        if let target = configuration.training.target, let best = state.best, monitor.reaches(target, best.value) { return .target }
        if state.step == 0, state.earlyStopping.isOver(configuration.training.earlyStopping) { return .earlyStopping }
        return nil
    }

    /// Trains until the stage is over.
    ///
    /// All ranks of the cluster call it together.
    ///
    /// - Parameters:
    ///   - shouldStop: asked between steps; true on any rank ends the training with `.interrupted` on all.
    ///   - handle: receives the events; an error that it throws ends the training.
    /// - Throws: `.nonFinite` when a loss or gradient is not finite, and what loading a clip throws.
    package func run(
        shouldStop: @Sendable () -> Bool, handle: (TrainingEvent) throws -> Void
    ) async throws -> Outcome {
        if let end { return .finished(end) }
        guard try await encodeAll(shouldStop, handle) else {
            try handle(.interrupted)
            return .interrupted
        }
        // The other ranks have encoded their clips.
        if !sharesSteps, !cluster.isLeader { return .interrupted }
        while true {
            guard try await runEpoch(shouldStop, handle) else {
                try handle(.interrupted)
                return .interrupted
            }
            if let end { return .finished(end) }
        }
    }

    /// Steps of a whole epoch, and epochs of the stage that are still to come.
    package var stepsPerEpoch: Int { schedule.stepsPerEpoch }
    package var epochsLeft: Int { end == nil ? plan.epochs - state.epochsOfStage : 0 }

    /// Epochs of all stages together.
    package var epochsInAll: Int { configuration.stagePlans.reduce(0) { $0 + $1.epochs } }

    /// Records that the weights have been replaced by the best epoch's.
    package func noteRestored() { state.isRestored = true }

    /// The training's time so far, that before a resumption included.
    package var secondsSinceStart: Double { secondsBefore + (ContinuousClock.now - start).seconds }

    // MARK: An epoch

    /// Runs one epoch, or the rest of it; returns false when it was asked to stop.
    private func runEpoch(_ shouldStop: () -> Bool, _ handle: (TrainingEvent) throws -> Void) async throws -> Bool {
        let count = training.clips.count
        let clipsPerStep = configuration.clipsPerStep
        if state.order.isEmpty { state.order = order() }
        times = EpochTimes()
        let epochStart = ContinuousClock.now
        let clipsBefore = state.running.clips
        while state.step * clipsPerStep < count {
            if try await hasStopped(shouldStop()) { return false }
            try await train(state.step * clipsPerStep..<min(count, (state.step + 1) * clipsPerStep))
            state.step += 1
            state.isRestored = false
            times.clips = state.running.clips - clipsBefore
            let elapsed = (ContinuousClock.now - epochStart).seconds
            let rate = Double(times.clips) / max(elapsed, 1e-9)
            let left = Double(count - state.running.clips) / rate
            try handle(
                .batch(
                    BatchProgress(
                        epoch: state.epoch + 1, epochs: state.stageEpoch + plan.epochs, clipsDone: state.running.clips, clips: count,
                        loss: state.running.meanLoss, accuracy: state.running.accuracy, clipsPerSecond: rate,
                        secondsLeft: left,
                        secondsLeftInAll: left + validationSeconds
                            + Double(epochsInAll - state.epoch - 1) * (Double(count) / rate + validationSeconds))))
        }
        let validationStart = ContinuousClock.now
        let (evaluation, isStopped) = try await validate(shouldStop, handle)
        if isStopped { return false }
        if evaluation != nil { times.validation = (ContinuousClock.now - validationStart).seconds }
        validationSeconds = times.validation
        let record = EpochRecord(
            epoch: state.epoch + 1, seconds: secondsSinceStart, trainLoss: state.running.meanLoss,
            trainAccuracy: state.running.accuracy, validation: evaluation.map { ValidationMetrics($0) },
            learningRate: learningRate(step: max(0, state.step - 1)))
        let loss = record.validation?.loss ?? record.trainLoss
        guard loss.isFinite, record.trainLoss.isFinite else {
            throw VidclassError(
                .nonFinite,
                "epoch \(record.epoch): the loss is \(record.trainLoss) in training and \(loss) after it. "
                    + "Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
        }
        try finish(record, evaluation, loss: loss, handle)
        return true
    }

    /// Finishes an epoch: best epoch, callbacks, the state between two epochs.
    private func finish(
        _ record: EpochRecord, _ evaluation: Evaluation?, loss: Double, _ handle: (TrainingEvent) throws -> Void
    ) throws {
        let value = monitor.value(record, evaluation)
        let isBest = state.best?.isBeaten(by: value, loss: loss, monitor) ?? true
        if isBest {
            state.best = BestEpoch(
                epoch: record.epoch, value: value, loss: loss, accuracy: record.validation?.accuracy ?? record.trainAccuracy)
        }
        state.earlyStopping.update(value, epoch: state.epochsOfStage, monitor, configuration.training.earlyStopping)
        let isReduced = state.plateau.update(
            plateauMonitor.value(record, evaluation), plateauMonitor, configuration.training.reduceOnPlateau,
            learningRate: plan.learningRate)
        state.epoch += 1
        state.step = 0
        state.order = []
        state.running = RunningMetrics()
        training.save()
        try handle(.epoch(EpochReport(record: record, isBest: isBest, validation: evaluation, times: times)))
        if isReduced, end == nil { try handle(.learningRateReduced(scale: state.plateau.scale)) }
    }

    func order() -> [Int] {
        configuration.training.balancedSampling
            ? EpochOrder.balanced(training.clips.labels, classes: classifier.classes.count, &state.orderRandom)
            : EpochOrder.plain(training.clips.count, shuffle: configuration.training.shuffle, &state.orderRandom)
    }

    /// The learning rate of the next step.
    package var nextLearningRate: Double { learningRate(step: state.step) }

    /// The learning rate of step `step` of the current epoch.
    func learningRate(step: Int) -> Double {
        let stepsPerEpoch = schedule.stepsPerEpoch
        return plan.learningRate * state.plateau.scale * schedule.factor(step: state.epochsOfStage * stepsPerEpoch + step)
    }

    // MARK: Evaluation and encoding

    /// Whether a rank that shares the steps has stopped.
    private func hasStopped(_ isStopped: Bool) async throws -> Bool { sharesSteps ? try await cluster.any(isStopped) : isStopped }

    /// Evaluates the classifier on the validation split; no evaluation where there is none, or where it was stopped.
    private func validate(
        _ shouldStop: () -> Bool, _ handle: (TrainingEvent) throws -> Void
    ) async throws -> (evaluation: Evaluation?, isStopped: Bool) {
        guard validation.clips.count > 0 else { return (nil, false) }
        var evaluation: Evaluation?
        do {
            evaluation = try await predictor.evaluate(validation, in: sharesSteps ? cluster : Alone()) { done, total in
                if done < total, shouldStop() { throw Stopped() }
                try handle(.validating(clipsDone: done, clips: total))
            }
        } catch is Stopped {} catch is WorkShare.Stopped {}
        let wasStopped = try await hasStopped(evaluation == nil)
        return (wasStopped ? nil : evaluation, wasStopped)
    }

    /// Stops a validation, which a resumed training starts with, or an encoding.
    private struct Stopped: Error {}

    /// Encodes every sample of both splits once; returns false when it was asked to stop.
    private func encodeAll(_ shouldStop: () -> Bool, _ handle: (TrainingEvent) throws -> Void) async throws -> Bool {
        let splits = [training, validation].filter(\.needsPreparing)
        let start = ContinuousClock.now
        var encoding = EncodingProgress(clips: splits.reduce(0) { $0 + $1.count })
        do {
            for split in splits {
                try await split.prepare(in: cluster, everywhere: sharesSteps) { isRecalled in
                    encoding.count(isRecalled: isRecalled, seconds: (ContinuousClock.now - start).seconds)
                    try handle(.encoding(encoding))
                    if shouldStop(), encoding.clipsDone < encoding.clips { throw Stopped() }
                }
            }
        } catch is Stopped {
            return false
        } catch is WorkShare.Stopped {
            return false
        }
        isEncoded = true
        return true
    }

    /// Evaluates the classifier on other clips than those of the training, or on the validation split (`clips` nil), in the memory
    /// of the training's steps.
    ///
    /// - Parameters:
    ///   - cache: for the outputs of frozen layers.
    ///   - reusesFeatures: whether features in memory are still those of the frozen layers.
    ///   - share: has the other ranks take part in the encoding of clips.
    ///   - progress: called with the number of clips done; throws to stop.
    package func evaluate(
        _ clips: LabelledClips?, cache: (any FeatureCache)?, reusesFeatures: Bool, share: (LabelledClips) async throws -> Void = { _ in },
        progress: (_ done: Int, _ total: Int) throws -> Void
    ) async throws -> Evaluation {
        if clips == nil, reusesFeatures, isEncoded, validation.needsPreparing {
            return try await predictor.evaluate(validation, progress: progress)
        }
        let inputs =
            clips == nil && reusesFeatures && !validation.needsPreparing
            ? validation : try evaluationInputs(clips ?? validation.clips, cache: cache)
        try await share(inputs.clips)
        return try await predictor.evaluate(inputs, in: cluster, progress: progress)
    }

    /// Whether there are enough clips for `familiarity`.
    package var canTellFamiliarity: Bool {
        Familiarity.isPossible(training: training.clips.count, dimensions: classifier.meanFeatureCount)
    }

    /// Learns from the features of the training clips how to recognise unfamiliar clips; nil if there are too few clips.
    ///
    /// It takes a forward pass over at most `Familiarity.mostClips` training clips, and as many validation clips, in the memory of
    /// the training's steps. Features that are in memory or in the cache are not computed again.
    ///
    /// - Parameters:
    ///   - cache: for the outputs of frozen layers.
    ///   - reusesFeatures: whether features in memory are still those of the frozen layers.
    ///   - share: has the other ranks take part in the encoding of clips.
    ///   - progress: called with the number of clips done; throws to stop.
    package func familiarity(
        cache: (any FeatureCache)?, reusesFeatures: Bool, share: (LabelledClips) async throws -> Void = { _ in },
        progress: (_ done: Int, _ total: Int) throws -> Void
    ) async throws -> Familiarity? {
        let dimensions = classifier.meanFeatureCount
        let (labels, known) = (training.clips.labels, validation.clips.count)
        guard canTellFamiliarity else { return nil }
        let reference = Familiarity.choose(labels, atMost: Familiarity.capacity(dimensions), seed: configuration.seed)
        let others = Familiarity.choose(
            [Int](repeating: 0, count: known), atMost: Familiarity.mostClips, seed: configuration.seed)
        let total = reference.count + others.count
        var done = 0
        func features(_ inputs: StepInputs, _ clips: [Int]) async throws -> [[Float]] {
            // The training's samples serve if they are the ones that an evaluation takes.
            let isSame = inputs.plan.perClip == validation.plan.perClip && inputs.plan.view(0, of: "") == validation.plan.view(0, of: "")
            let isUsable = isSame && reusesFeatures && (inputs.needsPreparing ? isEncoded : !cluster.isShared)
            func count() throws {
                done += 1
                try progress(done, total)
            }
            if isUsable { return try await predictor.meanFeatures(inputs, of: clips, in: Alone(), progress: count) }
            let chosen = try evaluationInputs(inputs.clips.selecting(clips), cache: cache)
            try await share(chosen.clips)
            return try await predictor.meanFeatures(chosen, of: Array(clips.indices), in: cluster, progress: count)
        }
        return Familiarity(reference: try await features(training, reference), validation: try await features(validation, others))
    }

    /// The samples of `clips` that an evaluation takes.
    private func evaluationInputs(_ clips: LabelledClips, cache: (any FeatureCache)?) throws -> StepInputs {
        try StepInputs(
            clips, .evaluation(configuration), in: predictor, features: FeatureStorage(cache: cache, keepsInMemory: false))
    }
}

extension Duration {
    /// In seconds.
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
