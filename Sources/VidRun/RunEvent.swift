import VidData
import VidReport
import VidSystem
import VidTrain

/// Everything that VidRun reports while it works, in the order in which it happens.
package enum RunEvent: Sendable {
    // Remarks, each one line.
    /// Tells the user where something is or comes from.
    case info(String)
    case note(String)
    case warning(String)
    /// A detail for users who want to see more.
    case detail(String)

    // The data.
    case checking(DataCheck.Progress)
    case checked(clips: Int, seconds: Double)
    /// The findings of the check, before a training.
    case data(DataReport)

    // A training.
    /// A configuration was chosen for the data.
    case chosen([ConfigurationChoice])
    /// The memory, disk space and time of a training, before it starts.
    case estimated(TrainingCost)
    /// A new training takes weights of an older model.
    case warmStart(WeightTransfer)
    case startup(StartupReport)
    /// The training of a fold (from 1) starts.
    case fold(Int, of: Int, run: String)
    case started(TrainingStart)
    /// The frozen layers are run once on each clip before the first epoch.
    case encoding(EncodingProgress)
    case batch(BatchProgress, epochs: Int)
    case validating(clipsDone: Int, clips: Int)
    /// An epoch is over; it is not saved yet.
    case epoch(EpochReport, epochs: Int)
    /// The epoch's results and state are in the run's folder. `stage` counts from 1.
    case epochSaved(EpochReport, epochs: Int, stage: Int)
    case learningRateReduced(epoch: Int, scale: Double, learningRate: Double)
    case stage(StageStart)
    case saved(String, seconds: Double)
    /// The training stopped early; everything is saved.
    case interrupted(TrainingStop)
    case evaluating(clipsDone: Int, clips: Int)
    /// The training is finished and saved, but its report could not be written.
    case reportFailed(reason: String, checkpoint: String, split: Split)
    /// The training is over, or its time is.
    case ended(TrainingResult)
    /// All folds are over, or their time is.
    case foldsEnded(FoldSummary)
}

/// A value of a configuration that was chosen for some data.
package struct ConfigurationChoice: Equatable, Sendable {
    /// The value's path in the configuration.
    package let key: String
    package let value: String
    package let because: String
}

/// What a training will take, measured where possible: the result of a dry run.
package struct TrainingCost: Sendable {
    package let parameters: (total: Int, trainable: Int)
    package let memoryBytes: Int
    /// For the run's folder: the last two states with their moments, and the best model.
    package let diskBytes: Int
    /// For new features in the cache.
    package let cacheBytes: Int
    /// Free bytes in the working folder; nil if unknown.
    package let freeBytes: Int?
    package let estimate: TrainingEstimate
    /// Later stages, whose time is not measured.
    package let laterStages: Int
}

/// Which weights of a new training come from an older model.
package struct WeightTransfer: Sendable {
    /// The older model's checkpoint.
    package let path: String
    /// The layers that were taken.
    package internal(set) var taken: [String] = []
    /// The layers that were drawn, with the reason.
    package internal(set) var drawn: [(layer: String, reason: String)] = []
    /// The labels whose outputs were taken.
    package internal(set) var kept: [String] = []
    /// The labels whose outputs were drawn.
    package internal(set) var new: [String] = []
    /// The older model's labels that the new one does not have.
    package internal(set) var missing: [String] = []
    /// The settings of the model that differ, as `model.hidden.0.units (64 to 32)`.
    package internal(set) var differences: [String] = []

    init(path: String) { self.path = path }
}

/// A training as it starts or resumes.
package struct TrainingStart: Sendable {
    package let run: String
    package let isResumed: Bool
    package let epochs: Int
    package let epochsDone: Int
    package let stages: Int
    /// From 1.
    package let stage: Int
    package let classes: [String]
    /// Clips of each split.
    package let clips: [(split: String, count: Int)]
    package let parameters: (total: Int, trainable: Int)
    package let monitor: String
    package let threads: Int
    package let memoryBytes: Int
}

/// A stage as it starts after another one.
package struct StageStart: Sendable {
    /// From 1.
    package let stage: Int
    package let stages: Int
    /// Why the previous stage ended.
    package let previousEnd: StageEnd
    package let trainableParameters: Int
    package let learningRate: Double
}

/// Where a training stopped.
package struct TrainingStop: Sendable {
    package let run: String
    package let reason: StopCondition.Reason
    package let epoch: Int
    package let step: Int
    package let lastCheckpoint: String
}

/// How a training ended and where its files are.
package struct TrainingResult: Sendable {
    package let run: String
    package let epochs: Int
    /// Why the training ended; nil if its time was up.
    package let end: StageEnd?
    /// The epochs without an improvement that end a training early; nil if none do.
    package let patience: Int?
    package let seconds: Double
    package let monitor: String
    package let best: BestEpoch?
    /// Whether the last state has the best epoch's weights.
    package let isRestored: Bool
    /// Whether there are clips that were not trained on.
    package let hasHeldOutClips: Bool
    /// Whether accuracy and loss of the best epoch are those of validation clips; otherwise they are those of the training.
    package let hasValidation: Bool
    /// A clip to try the model on, one that was not trained on if there are any.
    package let exampleClip: String?
    package let bestCheckpoint: String
    package let lastCheckpoint: String
    package let results: String
    /// The page of the report; nil if there is none.
    package let report: String?
    package let hasTensorBoardLog: Bool
}

/// The results of the folds that are finished, with their mean and spread.
package struct FoldSummary: Sendable {
    package struct Result: Sendable {
        package let run: String
        /// Validation clips.
        package let clips: Int
        package let best: BestEpoch
    }

    /// The folder of the folds.
    package let run: String
    /// `folds` if all are finished, `max_minutes` if the time was up.
    package let reason: String
    package let results: [Result]
    let monitor: String

    /// Mean and sample standard deviation (n - 1).
    package func spread(_ value: (BestEpoch) -> Double) -> (mean: Double, deviation: Double) {
        let values = results.map { value($0.best) }
        let mean = values.reduce(0, +) / Double(max(values.count, 1))
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0)
    }

    /// The content of folds.csv: one line per fold, then the mean and the sample standard deviation.
    var csv: String {
        var text = CSVText.line(["fold", "run", "clips", "best_epoch", monitor, "loss", "categorical_accuracy"])
        for (index, result) in results.enumerated() {
            text += CSVText.line([
                "\(index + 1)", CSVText.cell(result.run), "\(result.clips)", "\(result.best.epoch)", "\(result.best.value)",
                "\(result.best.loss)",
                "\(result.best.accuracy)",
            ])
        }
        let spreads = [spread(\.value), spread(\.loss), spread(\.accuracy)]
        text += CSVText.line(["mean", "", "", ""] + spreads.map { "\($0.mean)" })
        return text + CSVText.line(["std", "", "", ""] + spreads.map { "\($0.deviation)" })
    }
}
