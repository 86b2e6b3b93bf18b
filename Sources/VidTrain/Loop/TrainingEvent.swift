/// What happened in one epoch.
package struct EpochRecord: Sendable, Equatable {
    /// 1 for the first.
    package let epoch: Int
    /// Wall-clock seconds since the run began (since it was resumed, for a resumed run).
    package let seconds: Double
    /// Means over the training clips, taken batch by batch while the weights change, as Keras reports them.
    package let trainLoss: Double
    package let trainAccuracy: Double
    /// Over the validation part after the epoch; nil where there is none.
    package let validation: ValidationMetrics?
    /// Of the epoch's last step.
    package let learningRate: Double

    package init(
        epoch: Int, seconds: Double, trainLoss: Double, trainAccuracy: Double, validation: ValidationMetrics?, learningRate: Double
    ) {
        self.epoch = epoch
        self.seconds = seconds
        self.trainLoss = trainLoss
        self.trainAccuracy = trainAccuracy
        self.validation = validation
        self.learningRate = learningRate
    }
}

/// An evaluation in a few figures.
package struct ValidationMetrics: Sendable, Equatable {
    package let loss: Double
    package let accuracy: Double
    package let top5Accuracy: Double
    package let macroF1: Double

    package init(loss: Double, accuracy: Double, top5Accuracy: Double = 0, macroF1: Double = 0) {
        self.loss = loss
        self.accuracy = accuracy
        self.top5Accuracy = top5Accuracy
        self.macroF1 = macroF1
    }

    init(_ evaluation: Evaluation) {
        self.init(
            loss: evaluation.loss, accuracy: evaluation.accuracy, top5Accuracy: evaluation.topAccuracy(5), macroF1: evaluation.macroF1)
    }
}

/// Where an epoch's time went, in seconds; of one that was gone on with, the part after the resumption.
package struct EpochTimes: Sendable, Equatable {
    /// Waiting for clips, and running frozen layers on them where their outputs are not kept.
    package var loading = 0.0
    /// Forward, backward and update.
    package var steps = 0.0
    package var validation = 0.0
    /// Training clips.
    package var clips = 0

    package init() {}

    /// Of the training part; nil where all its steps were done before.
    package var clipsPerSecond: Double? { clips > 0 ? Double(clips) / max(loading + steps, 1e-9) : nil }
}

/// An epoch that is over.
package struct EpochReport: Sendable {
    package let record: EpochRecord
    /// No epoch before was better.
    package let isBest: Bool
    /// The whole of the validation, each clip's scores with it; nil where there is no validation part.
    package let validation: Evaluation?
    package let times: EpochTimes

    package init(record: EpochRecord, isBest: Bool, validation: Evaluation?, times: EpochTimes) {
        self.record = record
        self.isBest = isBest
        self.validation = validation
        self.times = times
    }
}

/// How far an epoch has come.
package struct BatchProgress: Sendable {
    package let epoch: Int
    package let epochs: Int
    package let clipsDone: Int
    package let clips: Int
    /// Running means of the epoch.
    package let loss: Double
    package let accuracy: Double
    package let clipsPerSecond: Double
    /// For this epoch's training part, in seconds.
    package let secondsLeft: Double
    /// For all that is left of the training, validations included as long as the last one took; later stages are taken to be as
    /// fast as this one, and nothing to end the training early.
    package let secondsLeftInAll: Double
}

/// How far the pass of all clips through the frozen layers has come.
package struct EncodingProgress: Sendable {
    package let clips: Int
    package private(set) var clipsDone = 0
    /// Of those done, the ones whose features an earlier run had kept.
    package private(set) var clipsRecalled = 0
    /// Since the start.
    package private(set) var seconds = 0.0
    private var recallSeconds = 0.0

    init(clips: Int) { self.clips = clips }

    mutating func count(isRecalled: Bool, seconds: Double) {
        if isRecalled { recallSeconds += seconds - self.seconds }
        self.seconds = seconds
        clipsDone += 1
        if isRecalled { clipsRecalled += 1 }
    }

    /// Of the clips that were not recalled.
    package var clipsPerSecond: Double { Double(clipsDone - clipsRecalled) / max(seconds - recallSeconds, 1e-9) }
    package var secondsLeft: Double { clipsPerSecond > 0 ? Double(clips - clipsDone) / clipsPerSecond : 0 }
}

/// What a trainer tells the outside: it knows no file format and no terminal.
///
/// Events are delivered in order, on the trainer's own task, between steps: a handler may read the trainer's state and
/// parameters, for example to save them. An error that it throws ends the training.
package enum TrainingEvent: Sendable {
    /// Frozen layers run once on each clip before the first epoch.
    case encoding(EncodingProgress)
    case batch(BatchProgress)
    case validating(clipsDone: Int, clips: Int)
    /// An epoch is over and the trainer's state stands between two epochs. The parameters' gradients are still those of its last
    /// step, as they were before any clipping, if `Trainer.holdsGradients`.
    case epoch(EpochReport)
    /// Nothing had got better for long enough; the factor that learning rates are now multiplied by.
    case learningRateReduced(scale: Double)
    /// The training was asked to stop; the state stands between two steps.
    case interrupted
}
