import VidModel
import VidTensor

/// The best epoch so far.
package struct BestEpoch: Codable, Sendable, Equatable {
    package let epoch: Int
    package let loss: Double
    package let accuracy: Double

    /// Whether (accuracy, loss) beats this epoch: higher accuracy, or the same with a lower loss.
    package func isBeaten(by accuracy: Double, loss: Double) -> Bool {
        accuracy > self.accuracy || (accuracy == self.accuracy && loss < self.loss)
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
    /// Batches of the current epoch that are over.
    package var step = 0
    /// The current epoch's order of the training clips; empty between epochs.
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

    /// The state before the first step. Streams 1 and 2 of the seed; stream 0 draws the initial weights.
    package init(seed: UInt64) {
        orderRandom = RandomGenerator(seed: seed, stream: 1)
        dropoutRandom = RandomGenerator(seed: seed, stream: 2)
    }
}
