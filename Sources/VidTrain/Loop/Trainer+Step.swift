import VidConfig
import VidData
import VidModel
import VidSystem
import VidTensor

// One step of the loop: its samples, their targets, and the error where a number is not finite.

extension Trainer {
    /// A shard's part of a batch: what is computed at a time.
    private struct Pass {
        let shard: Int
        /// In the epoch's order.
        let positions: Range<Int>
    }

    /// The inputs of the last pass, for the error of an update.
    private struct PassInput {
        let samples: [Sample]
        let input: Tensor
        let validFrames: [Int]
    }

    /// Forward, loss and backward on the clips at `positions` of the epoch's order, shard by shard and batch by batch, and one update;
    /// starts loading the clips of the next pass.
    func train(_ positions: Range<Int>) async throws {
        state.running = try await run(positions, after: state.running)
        if shards.count == 1 { state.dropoutRandom = step.context.random }
        state.optimizer = step.optimizerState
    }

    /// - Parameter isFilled: whether a constant replaces the inputs.
    /// - Returns: `running` with the metrics of this step added.
    private func run(_ positions: Range<Int>, after running: RunningMetrics, isFilled: Bool = false) async throws -> RunningMetrics {
        let passes = passes(positions)
        let later = self.passes(positions.upperBound..<min(state.order.count, positions.upperBound + configuration.clipsPerStep))
        var metrics: [RunningMetrics] = []
        var last: PassInput?
        for shard in shards.own {
            // Shard 0 carries the sums on.
            var sum = shard == 0 ? running : RunningMetrics()
            let own = passes.indices.filter { passes[$0].shard == shard }
            step.nextBatch()
            shards.begin(shard)
            if shards.count > 1, let first = own.first {
                step.context.random = RandomGenerator(
                    seed: configuration.seed,
                    stream: RandomStreams.dropout(epoch: state.epoch, position: passes[first].positions.lowerBound))
            }
            for index in own {
                let next = index + 1 < passes.count ? passes[index + 1] : later.first
                step.context.didFinishLayer = shards.observer(ofLastPass: index + 1 == passes.count)
                last = try await add(
                    passes[index].positions, next: next?.positions, denominator: positions.count, to: &sum, isFilled: isFilled)
            }
            shards.end(shard, isEmpty: own.isEmpty)
            metrics.append(sum)
        }
        var clock = ContinuousClock.now
        defer { times.steps += lap(&clock) }
        let total = try await shards.finish(metrics)
        do {
            // Who hears of an epoch's end may read the gradients of its last step.
            let isLast = positions.upperBound >= state.order.count
            try step.update(learningRate: learningRate(step: state.step), keepsGradients: isLast)
            holdsGradients = isLast
        } catch {
            throw failure(error, last)
        }
        return total
    }

    /// This rank's passes over the clips at `positions`, in their order.
    private func passes(_ positions: Range<Int>) -> [Pass] {
        shards.own.flatMap { shard in
            stride(from: positions.lowerBound, to: positions.upperBound, by: configuration.training.batchSize).map { first in
                let batch = first..<min(positions.upperBound, first + configuration.training.batchSize)
                return Pass(shard: shard, positions: shards.part(shard, of: batch))
            }
        }.filter { !$0.positions.isEmpty }
    }

    /// Adds the gradients of one pass; starts loading the clips of the next one.
    private func add(
        _ positions: Range<Int>, next: Range<Int>?, denominator: Int, to running: inout RunningMetrics, isFilled: Bool
    ) async throws -> PassInput {
        let samples = samples(positions)
        step.nextBatch()
        let input = step.context.workspace.take(classifier.trainedInputShape.prepending(samples.count * classifier.frames))
        var validFrames = [Int](repeating: classifier.frames, count: samples.count)
        var clock = ContinuousClock.now
        if isFilled {
            input.fill(0.5)
        } else {
            validFrames = try await training.gather(samples, next: next.map(self.samples) ?? [], into: input)
        }
        times.loading += lap(&clock)
        defer { times.steps += lap(&clock) }
        let pass = PassInput(samples: samples, input: input, validFrames: validFrames)
        do {
            let result = try step.add(
                input: input, validFrames: validFrames, targets: targets(positions, samples), denominator: denominator)
            running.loss += result.loss
            running.correct += result.correct
            running.clips += samples.count
        } catch {
            throw failure(error, pass)
        }
        return pass
    }

    /// The error for a number that is not finite.
    ///
    /// - Parameter pass: where it was met, or the last one before; nil on a rank without shards.
    private func failure(_ error: TrainingStep.NonFinite, _ pass: PassInput?) -> VidclassError {
        let place: String
        if let pass {
            let names = pass.samples.prefix(4).map { training.clips.names[$0.clip].printable }.joined(separator: ", ")
            place =
                " (clips \(names)\(pass.samples.count > 4 ? ", ..." : "")); "
                + step.whereNotFinite(input: pass.input, validFrames: pass.validFrames)
        } else {
            place = ""
        }
        return VidclassError(
            .nonFinite,
            "epoch \(state.epoch + 1), step \(state.step + 1): \(error.text)\(place). "
                + "Try a smaller optimizer.learning_rate, or optimizer.clip_norm.")
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
        let positions = 0..<min(state.order.count, configuration.clipsPerStep)
        _ = try await run(positions, after: RunningMetrics(), isFilled: training.needsPreparing)
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
