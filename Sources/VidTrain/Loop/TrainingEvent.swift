/// Where an epoch's time went, in seconds; of a resumed epoch, the time since the resumption.
package struct EpochTimes: Sendable, Equatable {
    /// Waiting for clips, and running frozen layers on them where their outputs are not in memory.
    package var loading = 0.0
    /// Forward, backward and update.
    package var steps = 0.0
    package var validation = 0.0
    /// Training clips in that time.
    package var clips = 0

    package init() {}

    /// Training clips per second; nil where all steps were done before the resumption.
    package var clipsPerSecond: Double? { clips > 0 ? Double(clips) / max(loading + steps, 1e-9) : nil }
}

/// A finished epoch.
package struct EpochReport: Sendable {
    package let record: EpochRecord
    /// Whether it is the best epoch so far.
    package let isBest: Bool
    /// The validation with each clip's scores; nil where there is no validation split.
    package let validation: Evaluation?
    package let times: EpochTimes

    package init(record: EpochRecord, isBest: Bool, validation: Evaluation?, times: EpochTimes) {
        self.record = record
        self.isBest = isBest
        self.validation = validation
        self.times = times
    }
}

/// The progress of an epoch.
package struct BatchProgress: Sendable {
    package let epoch: Int
    package let epochs: Int
    package let clipsDone: Int
    package let clips: Int
    /// Running means of the epoch.
    package let loss: Double
    package let accuracy: Double
    package let clipsPerSecond: Double
    /// Until the epoch's last step.
    package let secondsLeft: Double
    /// Until the end of the training, if each validation takes as long as the last one, later stages are as fast as this one and
    /// nothing ends the training early.
    package let secondsLeftInAll: Double
}

/// The progress of running the frozen layers on all samples.
package struct EncodingProgress: Sendable {
    package let clips: Int
    package private(set) var clipsDone = 0
    /// Those whose features came from the cache.
    package private(set) var clipsRecalled = 0
    /// Since it began.
    package private(set) var seconds = 0.0
    private var recallSeconds = 0.0

    init(clips: Int) { self.clips = clips }

    mutating func count(isRecalled: Bool, seconds: Double) {
        if isRecalled { recallSeconds += seconds - self.seconds }
        self.seconds = seconds
        clipsDone += 1
        if isRecalled { clipsRecalled += 1 }
    }

    /// Speed of those that did not come from the cache.
    package var clipsPerSecond: Double { Double(clipsDone - clipsRecalled) / max(seconds - recallSeconds, 1e-9) }
    package var secondsLeft: Double { clipsPerSecond > 0 ? Double(clips - clipsDone) / clipsPerSecond : 0 }
}

/// An event of a training, for files, terminals and other programs.
///
/// Events come in order, on the trainer's own task, between steps: a handler may read the trainer's state and parameters, for
/// example to save them. An error that it throws ends the training.
package enum TrainingEvent: Sendable {
    /// The frozen layers run on all samples, before the first epoch.
    case encoding(EncodingProgress)
    case batch(BatchProgress)
    case validating(clipsDone: Int, clips: Int)
    /// An epoch is over and the trainer's state is that between two epochs. If `Trainer.holdsGradients`, the parameters' gradients
    /// are still those of its last step, before any clipping.
    case epoch(EpochReport)
    /// `reduce_lr_on_plateau` reduced the factor of the learning rate to `scale`.
    case learningRateReduced(scale: Double)
    /// The training was asked to stop; the state is that between two steps.
    case interrupted
}
