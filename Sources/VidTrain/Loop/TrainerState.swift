import VidConfig
import VidModel
import VidTensor

/// The best epoch so far.
package struct BestEpoch: Codable, Sendable, Equatable {
    package let epoch: Int
    /// The monitored metric.
    package let value: Double
    package let loss: Double
    package let accuracy: Double

    /// Whether an epoch with this value and loss is better: a better value, or the same value with a lower loss.
    func isBeaten(by value: Double, loss: Double, _ monitor: Monitor) -> Bool {
        monitor.isBetter(value, than: self.value) || (value == self.value && loss < self.loss)
    }
}

/// Sums over the clips of the current epoch.
package struct RunningMetrics: Codable, Sendable, Equatable {
    package var loss = 0.0
    package var correct = 0
    package var clips = 0

    package init() {}

    static func + (left: RunningMetrics, right: RunningMetrics) -> RunningMetrics {
        var sum = left
        sum.loss += right.loss
        sum.correct += right.correct
        sum.clips += right.clips
        return sum
    }

    package var meanLoss: Double { loss / Double(max(clips, 1)) }
    package var accuracy: Double { Double(correct) / Double(max(clips, 1)) }
}

/// The state that a training resumes from, besides the tensors; saved as JSON in `last.safetensors`.
///
/// It is the state between two steps. It holds no clock, so the same training saves the same bytes.
package struct TrainerState: Codable, Sendable, Equatable {
    /// Epochs that are over.
    package var epoch = 0
    /// Steps of the current epoch that are over.
    package var step = 0
    /// The order of the training clips in the current epoch; empty between epochs.
    package var order: [Int] = []
    package var running = RunningMetrics()
    /// Draws the orders.
    package var orderRandom: RandomGenerator
    /// Draws dropout's masks.
    package var dropoutRandom: RandomGenerator
    /// Step count and momentum schedule.
    package var optimizer = OptimizerState()
    package var best: BestEpoch?
    /// `DataSet.digest` of the data set with its splits: `order` is valid for no other one.
    package var data = ""
    /// The stage, from 0, and the number of epochs before it.
    package private(set) var stage = 0
    package private(set) var stageEpoch = 0
    package var earlyStopping = EarlyStopping()
    package var plateau = ReduceOnPlateau()
    /// Whether the weights are the best epoch's, restored after the last epoch; false after the next step.
    package var isRestored = false

    /// The state before the first step. Streams 1 and 2 of the seed; stream 0 draws the initial weights.
    package init(seed: UInt64) {
        orderRandom = RandomGenerator(seed: seed, stream: 1)
        dropoutRandom = RandomGenerator(seed: seed, stream: 2)
    }

    /// What is wrong with a state that was read from a file; nil where a training on `clips` clips can resume from it. Nothing else may
    /// use a state before: its numbers may be any.
    package func fault(clips: Int, _ configuration: RunConfiguration) -> String? {
        let numbers = [
            ("epoch", epoch), ("step", step), ("stage", stage), ("stage_epoch", stageEpoch), ("correct", running.correct),
            ("clips", running.clips), ("optimizer.step", optimizer.step), ("best.epoch", best?.epoch ?? 0),
        ]
        for (name, number) in numbers where !TrainerState.counts.contains(number) {
            return "\(name): expected a number from 0 to \(TrainerState.counts.upperBound), found \(number)"
        }
        let stages = configuration.stagePlans.count
        guard stage < stages else { return "it is in stage \(stage + 1), but the configuration has \(stages)" }
        guard stageEpoch <= epoch, (best?.epoch ?? 0) <= epoch else {
            return "its best epoch or the start of its stage comes after its \(epoch) epochs"
        }
        let steps = (clips + configuration.clipsPerStep - 1) / configuration.clipsPerStep
        guard step <= steps, running.clips <= clips, running.correct <= running.clips else {
            return
                "\(step) steps with \(running.clips) clips, \(running.correct) of them correct, are more than an epoch of \(clips) clips has"
        }
        // guard: order-of-clips
        guard order.isEmpty ? step == 0 : order.count == clips && order.allSatisfy((0..<clips).contains) else {
            return "its order of clips is not an order of \(clips) clips"
        }
        guard (0...1).contains(optimizer.momentumSchedule), earlyStopping.isValid(TrainerState.counts), plateau.isValid(TrainerState.counts)
        else {
            return "no training produces its numbers of the optimiser or the callbacks"
        }
        return nil
    }

    /// Plausible numbers of epochs, steps or clips.
    private static let counts = 0...1 << 40

    /// Epochs of the stage that are over.
    package var epochsOfStage: Int { epoch - stageEpoch }

    /// Begins the next stage, with a fresh optimiser and fresh callbacks.
    package mutating func beginNextStage() {
        stage += 1
        stageEpoch = epoch
        optimizer = OptimizerState()
        earlyStopping = EarlyStopping()
        plateau = ReduceOnPlateau()
    }
}
