import VidConfig

/// A smaller learning rate when nothing gets better: Keras's ReduceLROnPlateau.
package struct ReduceOnPlateau: Codable, Sendable, Equatable {
    /// What the learning rate is multiplied by now.
    package private(set) var scale = 1.0
    private var best: Double?
    private var wait = 0
    private var cooldown = 0

    package init() {}

    /// Whether an update can have come to it.
    var isValid: Bool { scale > 0 && scale <= 1 && [wait, cooldown].allSatisfy((0...TrainerState.largestCount).contains) }

    /// Takes note of an epoch's figure and reduces the scale where it is time, but never to a rate below the smallest.
    ///
    /// - Parameter learningRate: what the scale is of.
    /// - Returns: whether it was reduced.
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
