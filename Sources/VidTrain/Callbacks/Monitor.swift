import VidConfig
import VidSystem

/// A metric that is watched from epoch to epoch, and the direction in which it improves.
package struct Monitor: Sendable {
    package let metric: Metric
    /// The place of the metric's class among the classes; nil unless it is a metric of one class.
    private let classIndex: Int?
    private let isHigherBetter: Bool

    /// - Parameter hasValidation: without a validation split, the training's own loss or accuracy is watched instead.
    /// - Throws: `.badData` where `metric` is of a class that is not among `classes`.
    package init(_ metric: Metric, mode: MonitorMode = .auto, classes: [String], hasValidation: Bool) throws {
        let classIndex = try metric.label.map { try ClassWeighting.classIndex($0, among: classes, for: metric.rawValue.printable) }
        self.metric = Monitor.watched(metric, hasValidation: hasValidation)
        self.classIndex = hasValidation ? classIndex : nil
        isHigherBetter = mode == .auto ? !metric.kind.isLowerBetter : mode == .max
    }

    /// The metric that is watched where `metric` is configured.
    package static func watched(_ metric: Metric, hasValidation: Bool) -> Metric {
        hasValidation || metric.kind.isOfTraining ? metric : Metric(metric.kind.isLowerBetter ? .loss : .categoricalAccuracy)
    }

    /// The metric's value after an epoch; NaN where it has none.
    package func value(_ record: EpochRecord, _ evaluation: Evaluation?) -> Double {
        (classIndex == nil ? record[metric.kind] : evaluation?.value(of: metric.kind, classIndex: classIndex)) ?? .nan
    }

    /// Whether `value` is better than `other` by more than `delta`; false where `value` is NaN.
    package func isBetter(_ value: Double, than other: Double, by delta: Double = 0) -> Bool {
        isHigherBetter ? value - delta > other : value + delta < other
    }

    /// Whether `value` is at least as good as `target`.
    package func reaches(_ target: Double, _ value: Double) -> Bool { isHigherBetter ? value >= target : value <= target }
}
