import VidConfig

/// An epoch in numbers.
package struct EpochRecord: Sendable, Equatable {
    /// 1 for the first.
    package let epoch: Int
    /// Wall-clock seconds since the training began, those before a resumption included.
    package let seconds: Double
    /// Means over the training clips, batch by batch while the weights change, as Keras reports them.
    package let trainLoss: Double
    package let trainAccuracy: Double
    /// Over the validation split after the epoch; nil where there is none.
    package let validation: ValidationMetrics?
    /// The learning rate of the epoch's last step.
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

    /// The value of a metric; nil where there is no validation split to measure it on, and for metrics of a single class.
    package subscript(_ kind: Metric.Kind) -> Double? {
        switch kind {
        case .loss: trainLoss
        case .categoricalAccuracy: trainAccuracy
        default: validation?[kind]
        }
    }
}

/// An evaluation's metrics, those of single classes excepted.
package struct ValidationMetrics: Sendable, Equatable {
    private let values: [Metric.Kind: Double]

    package init(_ values: [Metric.Kind: Double]) { self.values = values }

    init(_ evaluation: Evaluation) {
        values = Metric.Kind.whole.reduce(into: [:]) { $0[$1] = evaluation.value(of: $1) }
    }

    package subscript(_ kind: Metric.Kind) -> Double? { values[kind] }

    package var loss: Double { values[.validationLoss] ?? .nan }
    package var accuracy: Double { values[.validationAccuracy] ?? .nan }
}
