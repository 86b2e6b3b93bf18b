import Synchronization
import VidCluster
import VidConfig
import VidReport
import VidRun
import VidSystem
import VidTrain

/// `train --json`: one JSON object per line on standard output, each with an `event`, and during cross-validation with `fold` and
/// `folds`.
///
///     chosen                 choices of a configuration, each with key, value and because
///     from                   an older model's weights: checkpoint, taken, drawn, kept, new, missing, differences
///     start                  what is trained: run, resumed, epochs, epochs_done, stages, stage, classes, clips, parameters, ...
///     encoding               clips_done of clips through the frozen layers; at most one per second, and the last
///     epoch                  every metric of an evaluation, named as in results.csv, time, lr, best and how long it took
///     learning_rate_reduced  epoch, scale, learning_rate
///     stage                  a stage begins: stage, stages, after, trainable_parameters, learning_rate
///     interrupted            the training stopped, with everything saved: reason, epoch, step, exit_code
///     end                    stop_reason, the best epoch's metrics, files; always the last line, except after a signal or a failure
///     failed                 message, exit_code
///     estimate               what the training will take: the last line of a dry run, and with `chosen` the next one
///
/// Every key is always present; values that don't exist are null.
final class TrainingStream: Sendable {
    private struct State {
        var fold: (number: Int, count: Int)?
        var lastEncoding: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Writes one line, or none for some events.
    ///
    /// - Throws: `.inputOutput` if standard output can't be written.
    func write(_ event: RunEvent) throws {
        switch event {
        case .fold(let number, let count, _): state.withLock { $0.fold = (number, count) }
        case .chosen(let choices):
            let items = choices.map { choice -> JSONNode in
                .object([("key", .string(choice.key)), ("value", .string(choice.value)), ("because", .string(choice.because))])
            }
            try write("chosen", [("choices", .array(items))])
        case .estimated(let cost): try write(cost)
        case .warmStart(let transfer): try write("from", transfer.members)
        case .started(let start): try write("start", TrainingStream.members(start))
        case .encoding(let encoding): try write(encoding)
        case .epochSaved(let epoch, let epochs, let stage): try write("epoch", TrainingStream.members(epoch, epochs, stage))
        case .learningRateReduced(let epoch, let scale, let rate):
            try write(
                "learning_rate_reduced", [("epoch", .integer(epoch)), ("scale", .number(scale)), ("learning_rate", .number(rate))])
        case .stage(let start):
            try write(
                "stage",
                [
                    ("stage", .integer(start.stage)), ("stages", .integer(start.stages)), ("after", .string(start.previousEnd.rawValue)),
                    ("trainable_parameters", .integer(start.trainableParameters)), ("learning_rate", .number(start.learningRate)),
                ])
        case .interrupted(let stop):
            let code = SignalHandling.stopCode
            let reason = code.map { $0 == 130 ? "SIGINT" : "SIGTERM" } ?? stop.reason.rawValue
            try write(
                "interrupted",
                [
                    ("run", .string(stop.run)), ("reason", .string(reason)), ("epoch", .integer(stop.epoch)), ("step", .integer(stop.step)),
                    ("last_checkpoint", .string(stop.lastCheckpoint)), ("exit_code", .integer(Int(code ?? 0))),
                ])
        case .ended(let result): try write("end", result.members)
        case .foldsEnded(let summary):
            state.withLock { $0.fold = nil }
            try write("end", summary.members)
        default: break
        }
    }

    func write(_ cost: TrainingCost) throws { try write("estimate", cost.members) }

    /// Writes the reason for the failure, for vidclass's own errors.
    func writeFailure(_ error: any Error) {
        guard let error = (error as? ClusterFailure)?.error ?? error as? VidclassError else { return }
        state.withLock { $0.fold = nil }
        // A second error, in writing this, must not replace the first.
        try? write(
            "failed",
            [
                ("message", .string(([error.message] + error.advice).joined(separator: "\n"))),
                ("exit_code", .integer(Int(error.kind.rawValue))),
            ])
    }

    private func write(_ event: String, _ members: [(String, JSONNode)]) throws {
        var all: [(String, JSONNode)] = [("event", .string(event))]
        if let fold = state.withLock({ $0.fold }) { all += [("fold", .integer(fold.number)), ("folds", .integer(fold.count))] }
        try Terminal.output(JSONNode.object(all + members).text() + "\n")
    }

    private func write(_ encoding: EncodingProgress) throws {
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.lastEncoding, now - last < .seconds(1), encoding.clipsDone < encoding.clips { return false }
            state.lastEncoding = now
            return true
        }
        guard isDue else { return }
        try write(
            "encoding",
            [
                ("clips_done", .integer(encoding.clipsDone)), ("clips", .integer(encoding.clips)),
                ("clips_recalled", .integer(encoding.clipsRecalled)), ("clips_per_second", .number(encoding.clipsPerSecond)),
                ("seconds", .number(encoding.seconds)), ("seconds_left", .number(encoding.secondsLeft)),
            ])
    }

    private static func members(_ start: TrainingStart) -> [(String, JSONNode)] {
        [
            ("run", .string(start.run)), ("resumed", .bool(start.isResumed)), ("epochs", .integer(start.epochs)),
            ("epochs_done", .integer(start.epochsDone)), ("stages", .integer(start.stages)), ("stage", .integer(start.stage)),
            ("classes", .array(start.classes.map { .string($0) })),
            ("clips", .object(start.clips.map { ($0.split, .integer($0.count)) })), ("parameters", .integer(start.parameters.total)),
            ("trainable_parameters", .integer(start.parameters.trainable)), ("monitor", .string(start.monitor)),
            ("threads", .integer(start.threads)), ("memory_bytes", .integer(start.memoryBytes)),
        ]
    }

    private static func members(_ epoch: EpochReport, _ epochs: Int, _ stage: Int) -> [(String, JSONNode)] {
        let (record, times) = (epoch.record, epoch.times)
        return [
            ("epoch", .integer(record.epoch)), ("epochs", .integer(epochs)), ("stage", .integer(stage)), ("time", .number(record.seconds)),
        ] + Metric.Kind.whole.map { ($0.seriesName, .number(ifAny: record[$0])) } + [
            ("lr", .number(record.learningRate)), ("clips_per_second", .number(ifAny: times.clipsPerSecond)),
            ("loading_seconds", .number(times.loading)), ("step_seconds", .number(times.steps)),
            ("validation_seconds", .number(times.validation)), ("best", .bool(epoch.isBest)),
        ]
    }
}
