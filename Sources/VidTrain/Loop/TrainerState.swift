import VidConfig
import VidModel
import VidTensor

/// The best epoch so far.
package struct BestEpoch: Codable, Sendable, Equatable {
    package let epoch: Int
    /// Of the monitored figure.
    package let value: Double
    package let loss: Double
    package let accuracy: Double

    /// Whether an epoch of this value and loss beats this one: a better value, or the same with a lower loss.
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

    package var meanLoss: Double { loss / Double(max(clips, 1)) }
    package var accuracy: Double { Double(correct) / Double(max(clips, 1)) }
}

/// Everything but the tensors that a training needs to go on: saved as JSON in `last.safetensors`.
///
/// It stands between two steps. No clock is in it, so the same training saves the same bytes.
package struct TrainerState: Codable, Sendable, Equatable {
    /// Epochs that are over.
    package var epoch = 0
    /// Steps of the current epoch that are over.
    package var step = 0
    /// The current epoch's draws of training clips; empty between epochs.
    package var order: [Int] = []
    package var running = RunningMetrics()
    /// Draws the orders.
    package var orderRandom: RandomGenerator
    /// Draws dropout's masks.
    package var dropoutRandom: RandomGenerator
    /// Step, momentum schedule and the like.
    package var optimizer = OptimizerState()
    package var best: BestEpoch?
    /// Of the data set and its split (`DataSet.digest`): positions in `order` mean nothing in another one.
    package var data = ""
    /// The stage, from 0, and the epochs that were over when it began.
    package private(set) var stage = 0
    package private(set) var stageEpoch = 0
    package var earlyStopping = EarlyStopping()
    package var plateau = ReduceOnPlateau()
    /// Whether the weights are the best epoch's, put back after the last one; until the next step.
    package var isRestored = false

    /// The state before the first step. Streams 1 and 2 of the seed; stream 0 draws the initial weights.
    package init(seed: UInt64) {
        orderRandom = RandomGenerator(seed: seed, stream: 1)
        dropoutRandom = RandomGenerator(seed: seed, stream: 2)
    }

    /// What is wrong with a state that was read from a file; nil where a training on `clips` clips can go on from it.
    package func fault(clips: Int, _ configuration: RunConfiguration) -> String? {
        let counts = [
            ("epoch", epoch), ("step", step), ("stage", stage), ("stage_epoch", stageEpoch), ("correct", running.correct),
            ("clips", running.clips), ("optimizer.step", optimizer.step), ("best.epoch", best?.epoch ?? 0),
        ]
        for (name, count) in counts where !(0...TrainerState.largestCount).contains(count) {
            return "\(name): expected a number from 0 to \(TrainerState.largestCount), found \(count)"
        }
        guard stageEpoch <= epoch, (best?.epoch ?? 0) <= epoch else {
            return "its best epoch or the beginning of its stage lies behind its \(epoch) epochs"
        }
        let steps = (clips + configuration.clipsPerStep - 1) / configuration.clipsPerStep
        guard step <= steps, running.clips <= clips, running.correct <= running.clips else {
            return "\(step) steps with \(running.clips) clips, \(running.correct) of them right, are more than an epoch of \(clips) has"
        }
        guard order.isEmpty ? step == 0 : order.count == clips && order.allSatisfy((0..<clips).contains) else {
            return "its order of clips is not one of \(clips)"
        }
        guard (0...1).contains(optimizer.momentumSchedule), earlyStopping.isValid, plateau.isValid else {
            return "its optimiser's or callbacks' numbers are none that a training comes to"
        }
        return nil
    }

    /// The most epochs, steps or clips that are believed.
    static let largestCount = 1 << 40

    /// Epochs of the stage that are over.
    package var epochsOfStage: Int { epoch - stageEpoch }

    /// Goes on to the next stage, which starts with a fresh optimiser and callbacks that have seen nothing yet.
    package mutating func beginNextStage() {
        stage += 1
        stageEpoch = epoch
        optimizer = OptimizerState()
        earlyStopping = EarlyStopping()
        plateau = ReduceOnPlateau()
    }
}
