import VidConfig

/// A figure that is watched from epoch to epoch, and which way it is to go.
package struct Monitor: Sendable {
    package let metric: MonitoredMetric
    private let rises: Bool

    /// - Parameter hasValidation: without a validation part, the training's own figure stands in for its.
    package init(_ metric: MonitoredMetric, mode: MonitorMode = .auto, hasValidation: Bool) {
        if metric.needsValidation, !hasValidation {
            self.metric = metric.isLoss ? .loss : .categoricalAccuracy
        } else {
            self.metric = metric
        }
        rises = mode == .auto ? !metric.isLoss : mode == .max
    }

    /// The figure of an epoch; NaN where it has none.
    package func value(_ record: EpochRecord) -> Double {
        let value: Double? =
            switch metric {
            case .loss: record.trainLoss
            case .categoricalAccuracy: record.trainAccuracy
            case .validationLoss: record.validation?.loss
            case .validationAccuracy: record.validation?.accuracy
            case .validationTop5: record.validation?.top5Accuracy
            case .validationMacroF1: record.validation?.macroF1
            }
        return value ?? .nan
    }

    /// Whether `value` is better than `other` by more than `delta`. Never where `value` is NaN.
    package func isBetter(_ value: Double, than other: Double, by delta: Double = 0) -> Bool {
        rises ? value - delta > other : value + delta < other
    }

    /// Whether `value` is at least as good as `target`.
    package func reaches(_ target: Double, _ value: Double) -> Bool { rises ? value >= target : value <= target }
}
