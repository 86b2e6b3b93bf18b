internal import VidData
internal import VidRun
internal import VidTrain

/// An event of a training. Events come in the order in which they happen.
///
/// A later minor version may add cases: give a `switch` a `default`.
public enum TrainingEvent: Sendable {
    /// A remark for the user, in one line.
    case note(String)
    case warning(String)
    /// The run's folder is there and the training begins, or resumes after `epochsDone` epochs.
    case started(run: String, classes: [String], epochs: Int, epochsDone: Int)
    case progress(TrainingProgress)
    /// An epoch is over, and its results and state are saved.
    case epoch(Epoch)
    /// The training was stopped, or its `training.max_minutes` are over. Everything is saved: `Training(resuming: run)` continues it.
    case stopped(run: String)
    /// The training is over, and its report is written.
    case finished(TrainingResult)
}

/// How far a training is.
public struct TrainingProgress: Hashable, Sendable {
    /// The kind of work.
    public enum Activity: String, Hashable, Sendable {
        /// Reads every clip and compares the splits.
        case checking
        /// Runs the frozen layers once on each clip.
        case encoding
        /// Trains an epoch.
        case training
        /// Measures the epoch on the validation split.
        case validating
        /// Measures the final model for the report.
        case evaluating
    }

    public let activity: Activity
    /// Clips of `total` that are done.
    public let done: Int
    public let total: Int
    /// From 1; nil before the first epoch and after the last one.
    public let epoch: Int?
    /// The running mean of the epoch's loss and accuracy; nil if it is not training.
    public let loss: Double?
    public let accuracy: Double?

    init(_ activity: Activity, _ done: Int, of total: Int, epoch: Int? = nil, loss: Double? = nil, accuracy: Double? = nil) {
        (self.activity, self.done, self.total, self.epoch, self.loss, self.accuracy) = (activity, done, total, epoch, loss, accuracy)
    }
}

/// The numbers of a finished epoch.
public struct Epoch: Hashable, Sendable {
    /// From 1.
    public let number: Int
    /// The epochs that are planned.
    public let planned: Int
    /// Since the training began, with the time before it was resumed.
    public let seconds: Double
    /// The means over the training clips while the weights change: cross-entropy (natural logarithm), and categorical accuracy from 0 to 1.
    public let loss: Double
    public let accuracy: Double
    /// The same of the validation split after the epoch; nil if there is none.
    public let validationLoss: Double?
    public let validationAccuracy: Double?
    /// The learning rate of the last step.
    public let learningRate: Double
    /// True if no epoch so far was better. Its model is then the best checkpoint.
    public let isBest: Bool

    init(_ report: EpochReport, planned: Int) {
        let record = report.record
        (number, self.planned, seconds) = (record.epoch, planned, record.seconds)
        (loss, accuracy) = (record.trainLoss, record.trainAccuracy)
        (validationLoss, validationAccuracy) = (record.validation?.loss, record.validation?.accuracy)
        (learningRate, isBest) = (record.learningRate, report.isBest)
    }
}

/// A finished training and its files.
public struct TrainingResult: Hashable, Sendable {
    /// Why a training ended.
    public enum Reason: String, Hashable, Sendable {
        /// After all epochs.
        case epochs
        /// There was no improvement for a while (`training.early_stopping`).
        case earlyStopping = "early_stopping"
        /// The monitored metric reached its target (`training.target`).
        case target
    }

    /// The run's folder.
    public let run: String
    public let reason: Reason
    public let epochs: Int
    public let seconds: Double
    /// The best epoch, with its loss and accuracy on the validation split, or on the training split if there is no other; nil if no epoch
    /// had a finite loss.
    public let bestEpoch: Int?
    public let bestLoss: Double?
    public let bestAccuracy: Double?
    /// The best model, for ``Checkpoint/init(_:)``.
    public let checkpoint: String
    /// The page of the report; nil if there is none.
    public let report: String?

    init?(_ result: VidRun.TrainingResult) {
        guard let reason = result.end.flatMap({ Reason(rawValue: $0.rawValue) }) else { return nil }
        (run, self.reason, epochs, seconds) = (result.run, reason, result.epochs, result.seconds)
        (bestEpoch, bestLoss, bestAccuracy) = (result.best?.epoch, result.best?.loss, result.best?.accuracy)
        (checkpoint, report) = (result.bestCheckpoint, result.report)
    }
}

extension TrainingEvent {
    /// The public form of an event; nil if it has none.
    init?(_ event: RunEvent) {
        switch event {
        case .info(let text), .note(let text): self = .note(text)
        case .warning(let text): self = .warning(text)
        case .checking(let progress): self = .progress(.init(.checking, progress.done, of: progress.total))
        case .started(let start):
            self = .started(run: start.run, classes: start.classes, epochs: start.epochs, epochsDone: start.epochsDone)
        case .encoding(let progress): self = .progress(.init(.encoding, progress.clipsDone, of: progress.clips))
        case .batch(let batch, _):
            self = .progress(
                .init(.training, batch.clipsDone, of: batch.clips, epoch: batch.epoch, loss: batch.loss, accuracy: batch.accuracy))
        case .validating(let done, let total): self = .progress(.init(.validating, done, of: total))
        case .evaluating(let done, let total): self = .progress(.init(.evaluating, done, of: total))
        case .epochSaved(let report, let epochs, _): self = .epoch(Epoch(report, planned: epochs))
        case .learningRateReduced(let epoch, _, let rate):
            self = .note("epoch \(epoch): the learning rate is reduced to \(rate)")
        case .interrupted(let stop): self = .stopped(run: stop.run)
        case .reportFailed(let reason, _, _): self = .warning("the report could not be written: \(reason)")
        case .ended(let result):
            guard let result = TrainingResult(result) else { return nil }
            self = .finished(result)
        case .detail, .checked, .data, .chosen, .estimated, .warmStart, .startup, .fold, .epoch, .stage, .saved, .foldsEnded: return nil
        }
    }
}
