import VidConfig

/// When a training should stop: on request, or after `training.max_minutes`.
package struct StopCondition: Sendable {
    /// The values are those of run.json's `stop_reason`.
    package enum Reason: String, Sendable {
        case requested = "signal"
        case timeIsUp = "max_minutes"
    }

    private let request: @Sendable () -> Bool
    private let deadline: ContinuousClock.Instant?

    /// The time starts now. `isRequested` is called between steps, from any thread.
    package init(_ configuration: RunConfiguration, isRequested: @escaping @Sendable () -> Bool) {
        request = isRequested
        deadline = configuration.training.maxMinutes.map { .now + .seconds(min($0 * 60, 1e12)) }
    }

    var isRequested: Bool { request() }
    var isMet: Bool { isRequested || deadline.map { .now >= $0 } ?? false }
    /// Why a training that this condition ended has stopped.
    var reason: Reason { isRequested ? .requested : .timeIsUp }
}
