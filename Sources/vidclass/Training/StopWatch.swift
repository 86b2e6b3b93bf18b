import VidConfig
import VidTensor
import VidTrain

/// When a training is to stop: at a signal, or after `training.max_minutes`.
struct StopWatch: Sendable {
    private let interruption: Interruption
    private let deadline: ContinuousClock.Instant?

    init(_ interruption: Interruption, maxMinutes: Double?) {
        self.interruption = interruption
        deadline = maxMinutes.map { .now + .seconds(min($0 * 60, 1e12)) }
    }

    var isTimeUp: Bool { deadline.map { .now >= $0 } ?? false }
    var shouldStop: Bool { interruption.isRequested || isTimeUp }

    /// Of the signal that came; nil where none did.
    var exitCode: Int32? { interruption.exitCode }
}
