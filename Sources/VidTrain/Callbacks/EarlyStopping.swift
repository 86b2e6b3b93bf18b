import VidConfig

/// Ends a training, or a stage of it, in which nothing gets better: Keras's EarlyStopping.
package struct EarlyStopping: Codable, Sendable, Equatable {
    /// The best figure of the stage so far.
    private(set) var best: Double?
    /// Epochs since then.
    private(set) var wait = 0

    package init() {}

    /// Whether an update can have come to it.
    var isValid: Bool { (0...TrainerState.largestCount).contains(wait) }

    /// Takes note of an epoch's figure; epochs before `start_from_epoch` (from 0) do not count.
    package mutating func update(_ value: Double, epoch: Int, _ monitor: Monitor, _ configuration: EarlyStoppingConfiguration) {
        guard epoch >= configuration.startFromEpoch else { return }
        wait += 1
        if best.map({ monitor.isBetter(value, than: $0, by: configuration.minDelta) }) ?? !value.isNaN {
            best = value
            wait = 0
        }
    }

    /// Whether it has waited long enough.
    package func isOver(_ configuration: EarlyStoppingConfiguration) -> Bool {
        configuration.patience.map { wait >= max(1, $0) } ?? false
    }
}
