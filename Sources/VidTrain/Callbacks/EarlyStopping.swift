import VidConfig

/// Ends a training, or a stage of it, that no longer improves: Keras's EarlyStopping.
package struct EarlyStopping: Codable, Sendable, Equatable {
    /// The best value of the stage so far.
    private(set) var best: Double?
    /// Epochs since then.
    private(set) var wait = 0

    package init() {}

    /// Returns false if no update can have produced this state.
    ///
    /// - Parameter counts: plausible numbers of epochs.
    func isValid(_ counts: ClosedRange<Int>) -> Bool { counts.contains(wait) }

    /// Records the metric of an epoch; epochs before `start_from_epoch` (from 0) do not count.
    package mutating func update(_ value: Double, epoch: Int, _ monitor: Monitor, _ configuration: EarlyStoppingConfiguration) {
        guard epoch >= configuration.startFromEpoch else { return }
        wait += 1
        if best.map({ monitor.isBetter(value, than: $0, by: configuration.minDelta) }) ?? !value.isNaN {
            best = value
            wait = 0
        }
    }

    /// Whether `patience` epochs have passed without an improvement.
    package func isOver(_ configuration: EarlyStoppingConfiguration) -> Bool {
        configuration.patience.map { wait >= max(1, $0) } ?? false
    }
}
