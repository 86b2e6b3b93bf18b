import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

// One step of the loop: its samples, their targets, and the error where a number is not finite.

extension Trainer {
    /// Forward, loss and backward on the clips at `positions` of the epoch's order, batch by batch, and one update; starts
    /// loading the clips of the next batch.
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
        _ positions: Range<Int>, denominator: Int, to running: inout RunningMetrics, isLast: Bool, isFilled: Bool = false
    ) async throws {
        let samples = samples(positions)
        let next = self.samples(positions.upperBound..<min(state.order.count, positions.upperBound + configuration.training.batchSize))
        step.nextBatch()
        let input = step.context.workspace.take(classifier.trainedInputShape.prepending(samples.count * classifier.frames))
        var validFrames = [Int](repeating: classifier.frames, count: samples.count)
        var clock = ContinuousClock.now
        if isFilled {
            input.fill(0.5)
        } else {
            validFrames = try await training.gather(samples, next: next, into: input)
        }
        times.loading += lap(&clock)
        defer { times.steps += lap(&clock) }
        do {
            let result = try step.add(
                input: input, validFrames: validFrames, targets: targets(positions, samples), denominator: denominator)
            running.loss += result.loss
            running.correct += result.correct
            running.clips += samples.count
            if isLast {
                try step.update(learningRate: learningRate(step: state.step))
                holdsGradients = true
            }
        } catch {
            let names = samples.prefix(4).map { training.clips.names[$0.clip].printable }.joined(separator: ", ")
            throw VidclassError(
                .nonFinite,
                "epoch \(state.epoch + 1), step \(state.step + 1): \(error.text) (clips \(names)\(samples.count > 4 ? ", ..." : "")); "
                    + "\(step.whereNotFinite(input: input, validFrames: validFrames)). "
                    + "Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
        }
    }

    /// Returns the seconds since `clock` and sets it to now.
    private func lap(_ clock: inout ContinuousClock.Instant) -> Double {
        let now = ContinuousClock.now
        defer { clock = now }
        return (now - clock).seconds
    }

    /// A step for the clock, on the first clips of an order; features that are not computed yet are replaced by a constant.
    func sampleStep() async throws {
        if state.order.isEmpty { state.order = order() }
        var running = RunningMetrics()
        let count = min(state.order.count, configuration.clipsPerStep)
        step.begin()
        for first in stride(from: 0, to: count, by: configuration.training.batchSize) {
            let batch = first..<min(count, first + configuration.training.batchSize)
            try await add(batch, denominator: count, to: &running, isLast: batch.upperBound == count, isFilled: training.needsPreparing)
        }
    }

    private func samples(_ positions: Range<Int>) -> [Sample] {
        positions.map { training.sample(clip: state.order[$0], epoch: state.epoch, position: $0) }
    }

    private func targets(_ positions: Range<Int>, _ samples: [Sample]) -> StepTargets {
        let alpha = configuration.augmentation.mixup
        let mixUp =
            alpha > 0
            ? MixUp(
                clips: samples.count, alpha: alpha, seed: configuration.seed,
                stream: RandomStreams.mixUp(epoch: state.epoch, batch: positions.lowerBound)) : nil
        return StepTargets(labels: samples.map { training.clips.labels[$0.clip] }, classWeights: classWeights, mixUp: mixUp)
    }
}
