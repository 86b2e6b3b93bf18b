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
