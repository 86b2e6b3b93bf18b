import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// `train --json`: a JSON object a line on standard output, each with an `event`, and of a fold its number in `fold`.
///
///     start                  what is to be trained: run, resumed, epochs, epochs_done, stages, stage, classes, clips, parameters, ...
///     encoding               clips_done of clips through the frozen layers; at most one a second, and the last
///     epoch                  every metric of an evaluation, named as in results.csv, time, lr, best and how long it took
///     learning_rate_reduced  epoch, scale, learning_rate
///     stage                  a stage begins: stage, stages, after, trainable_parameters, learning_rate
///     interrupted            stopped with everything kept: reason, epoch, step, exit_code
///     end                    stop_reason, the best epoch's figures, files; always the last line, but after a signal or a failure
///     failed                 message, exit_code
///     estimate               of a dry run, alone
///
/// Keys are always there; what does not exist is null.
struct TrainingStream {
    private let fold: (number: Int, of: Int)?

    init() { fold = nil }

    init(fold: Int, folds: Int) { self.fold = (fold, folds) }

    /// Writes one line.
    func write(_ event: String, _ members: [(String, JSONNode)]) throws {
        var all: [(String, JSONNode)] = [("event", .string(event))]
        if let fold { all += [("fold", .integer(fold.number)), ("folds", .integer(fold.of))] }
        try Terminal.output(JSONNode.object(all + members).text() + "\n")
    }

    func start(_ session: TrainingSession) throws {
        let trainer = session.trainer
        let counts = trainer.classifier.parameters.counts
        try write(
            "start",
            [
                ("run", .string(session.folder?.path ?? "")), ("resumed", .bool(session.isResumed)),
                ("epochs", .integer(trainer.epochsInAll)), ("epochs_done", .integer(trainer.state.epoch)),
                ("stages", .integer(session.configuration.stagePlans.count)), ("stage", .integer(trainer.state.stage + 1)),
                ("classes", .array(session.data.classes.map { .string($0) })),
                ("clips", .object(session.clipCounts.map { ($0.split, .integer($0.count)) })), ("parameters", .integer(counts.total)),
                ("trainable_parameters", .integer(counts.trainable)), ("monitor", .string(trainer.monitor.metric.rawValue)),
                ("threads", .integer(session.threads)), ("memory_bytes", .integer(session.plan.estimate.total)),
            ])
    }

    func encoding(_ encoding: EncodingProgress) throws {
        try write(
            "encoding",
            [
                ("clips_done", .integer(encoding.clipsDone)), ("clips", .integer(encoding.clips)),
                ("clips_recalled", .integer(encoding.clipsRecalled)), ("clips_per_second", .number(encoding.clipsPerSecond)),
                ("seconds", .number(encoding.seconds)), ("seconds_left", .number(encoding.secondsLeft)),
            ])
    }

    func epoch(_ epoch: EpochReport, _ trainer: Trainer) throws {
        func number(_ value: Double?) -> JSONNode { value.map { .number($0) } ?? .null }
        let (record, times) = (epoch.record, epoch.times)
        try write(
            "epoch",
            [
                ("epoch", .integer(record.epoch)), ("epochs", .integer(trainer.epochsInAll)),
                ("stage", .integer(trainer.state.stage + 1)), ("time", .number(record.seconds)),
            ] + Metric.Kind.whole.map { ($0.seriesName, number(record[$0])) } + [
                ("lr", .number(record.learningRate)), ("clips_per_second", number(times.clipsPerSecond)),
                ("loading_seconds", .number(times.loading)), ("step_seconds", .number(times.steps)),
                ("validation_seconds", .number(times.validation)), ("best", .bool(epoch.isBest)),
            ])
    }

    func stage(_ stage: Int, of stages: Int, after end: StageEnd, _ session: TrainingSession) throws {
        try write(
            "stage",
            [
                ("stage", .integer(stage + 1)), ("stages", .integer(stages)), ("after", .string(end.rawValue)),
                ("trainable_parameters", .integer(session.trainer.classifier.parameters.counts.trainable)),
                ("learning_rate", .number(session.configuration.stagePlans[stage].learningRate)),
            ])
    }

    func learningRateReduced(scale: Double, _ trainer: Trainer) throws {
        try write(
            "learning_rate_reduced",
            [
                ("epoch", .integer(trainer.state.epoch)), ("scale", .number(scale)),
                ("learning_rate", .number(trainer.nextLearningRate)),
            ])
    }

    /// - Parameter exitCode: that of the signal; nil where the time is over.
    func interrupted(_ session: TrainingSession, exitCode: Int32?) throws {
        let state = session.trainer.state
        let reason = exitCode.map { $0 == 130 ? "SIGINT" : "SIGTERM" } ?? "max_minutes"
        try write(
            "interrupted",
            [
                ("run", .string(session.folder?.path ?? "")), ("reason", .string(reason)), ("epoch", .integer(state.epoch)),
                ("step", .integer(state.step)), ("last_checkpoint", .string(session.folder?.lastPath ?? "")),
                ("exit_code", .integer(Int(exitCode ?? 0))),
            ])
    }

    /// Says why nothing more will come; errors that are none of the training's are passed over.
    func failed(_ error: any Error) {
        let (message, code): (String, Int32)
        switch error {
        case let error as VidclassError: (message, code) = (error.message, error.kind.rawValue)
        default: return
        }
        // The error itself goes its way; another one, of writing this, must not take its place.
        try? write("failed", [("message", .string(message)), ("exit_code", .integer(Int(code)))])
    }
}
