import VidConfig

/// Reduces the learning rate when a metric no longer improves: Keras's ReduceLROnPlateau.
package struct ReduceOnPlateau: Codable, Sendable, Equatable {
    /// The current factor of the learning rate.
    package private(set) var scale = 1.0
    private var best: Double?
    private var wait = 0
    private var cooldown = 0

    package init() {}

    /// Returns false if no update can have produced this state.
    ///
    /// - Parameter counts: plausible numbers of epochs.
    func isValid(_ counts: ClosedRange<Int>) -> Bool { scale > 0 && scale <= 1 && [wait, cooldown].allSatisfy(counts.contains) }

    /// Records the metric of an epoch and, after `patience` epochs without an improvement, reduces the scale, but not below
    /// `min_lr`.
    ///
    /// - Parameter learningRate: the rate that the scale multiplies.
    /// - Returns: whether the scale was reduced.
    package mutating func update(
        _ value: Double, _ monitor: Monitor, _ configuration: ReduceOnPlateauConfiguration, learningRate: Double
    ) -> Bool {
        guard let patience = configuration.patience else { return false }
        if cooldown > 0 {
            cooldown -= 1
            wait = 0
        }
        if best.map({ monitor.isBetter(value, than: $0, by: configuration.minDelta) }) ?? !value.isNaN {
            best = value
            wait = 0
            return false
        }
        guard cooldown == 0 else { return false }
        wait += 1
        let smallest = configuration.minLearningRate / learningRate
        guard wait >= max(1, patience), scale > smallest else { return false }
        scale = max(scale * configuration.factor, smallest)
        cooldown = configuration.cooldown
        wait = 0
        return true
    }
}
