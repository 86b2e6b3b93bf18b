import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

// One step of the loop: the draws it takes, what they are held against, and what is said when a number is not finite.

extension Trainer {
    /// Forward, loss and backward on the draws at `positions` of the epoch's order, batch by batch, and one update; starts
    /// loading what comes next.
    func train(_ positions: Range<Int>) async throws {
        let batchSize = configuration.training.batchSize
        step.begin()
        var running = state.running
        for first in stride(from: positions.lowerBound, to: positions.upperBound, by: batchSize) {
            let batch = first..<min(positions.upperBound, first + batchSize)
            try await add(batch, denominator: positions.count, to: &running, isLast: batch.upperBound == positions.upperBound)
        }
        state.running = running
        state.dropoutRandom = step.context.random
        state.optimizer = step.optimizerState
    }

    private func add(
        _ positions: Range<Int>, denominator: Int, to running: inout RunningMetrics, isLast: Bool, isMadeUp: Bool = false
    ) async throws {
        let draws = drawn(positions)
        let next = drawn(positions.upperBound..<min(state.order.count, positions.upperBound + configuration.training.batchSize))
        step.nextBatch()
        let input = step.context.workspace.take(classifier.trainedInputShape.prepending(draws.count * classifier.frames))
        var validFrames = [Int](repeating: classifier.frames, count: draws.count)
        var clock = ContinuousClock.now
        if isMadeUp {
            input.fill(0.5)
        } else {
            validFrames = try await training.gather(draws, next: next, into: input)
        }
        times.loading += lap(&clock)
        defer { times.steps += lap(&clock) }
        do {
            let result = try step.add(input: input, validFrames: validFrames, targets: targets(positions, draws), denominator: denominator)
            running.loss += result.loss
            running.correct += result.correct
            running.clips += draws.count
            if isLast {
                try step.update(learningRate: learningRate(step: state.step))
                holdsGradients = true
            }
        } catch {
            let names = draws.prefix(4).map { training.clips.names[$0.clip].printable }.joined(separator: ", ")
            throw VidclassError(
                .nonFinite,
                "epoch \(state.epoch + 1), step \(state.step + 1): \(error.text) (clips \(names)\(draws.count > 4 ? ", ..." : "")); "
                    + "\(step.whereNotFinite(input: input, validFrames: validFrames)). "
                    + "Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
        }
    }

    /// The seconds since `clock`, which is set to now.
    private func lap(_ clock: inout ContinuousClock.Instant) -> Double {
        let now = ContinuousClock.now
        defer { clock = now }
        return (now - clock).seconds
    }

    /// A step on the first clips of an order of its own, for its time; features that are not there yet are made up.
    func sampleStep() async throws {
        if state.order.isEmpty { state.order = order() }
        var running = RunningMetrics()
        let count = min(state.order.count, configuration.clipsPerStep)
        step.begin()
        for first in stride(from: 0, to: count, by: configuration.training.batchSize) {
            let batch = first..<min(count, first + configuration.training.batchSize)
            try await add(batch, denominator: count, to: &running, isLast: batch.upperBound == count, isMadeUp: training.needsPreparing)
        }
    }

    private func drawn(_ positions: Range<Int>) -> [Draw] {
        positions.map { training.draw(clip: state.order[$0], epoch: state.epoch, position: $0) }
    }

    private func targets(_ positions: Range<Int>, _ draws: [Draw]) -> StepTargets {
        let alpha = configuration.augmentation.mixup
        let mixture =
            alpha > 0
            ? MixUp(
                clips: draws.count, alpha: alpha, seed: configuration.seed,
                stream: RandomStreams.mixture(epoch: state.epoch, batch: positions.lowerBound)) : nil
        return StepTargets(labels: draws.map { training.clips.labels[$0.clip] }, classWeights: classWeights, mixture: mixture)
    }
}
