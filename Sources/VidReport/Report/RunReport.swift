import VidModel

/// The role of the evaluated clips in the training.
package enum EvaluatedSplit: String, Sendable {
    case test
    case validation = "val"
    case training = "train"
    /// The clips of all splits.
    case all
    /// Clips of other data than the training's.
    case other
}

/// The contents of `report.html`.
package struct RunReport: Sendable {
    /// The evaluated model.
    package struct Model: Sendable {
        package let checkpoint: String
        package let layers: [LayerSummary]
        package let parameters: (total: Int, trainable: Int)
        /// "16 frames of 224 x 224 x 3".
        package let input: String
        /// The lines of `TrainingSummary`.
        package let training: [(label: String, text: String)]

        package init(
            checkpoint: String, layers: [LayerSummary], parameters: (total: Int, trainable: Int), input: String,
            training: [(label: String, text: String)]
        ) {
            (self.checkpoint, self.layers, self.parameters) = (checkpoint, layers, parameters)
            (self.input, self.training) = (input, training)
        }
    }

    /// The folder of the run or of the evaluation.
    package var title: String
    package var split: EvaluatedSplit
    /// The path of the evaluated clips.
    package var source: String
    /// The number of clips that were left out because the model does not know their labels.
    package var unknownClips = 0
    package var metrics: EvaluationMetrics
    package var examples: [ExampleGroup]
    package var model: Model
    /// Nil if the checkpoint is not in a run's folder.
    package var story: RunStory?
    /// The data of the training; nil if it is unknown.
    package var data: DataSummary?
    /// The data of the evaluation; nil if it is the training's.
    package var evaluatedData: DataSummary?
    package var environment: RunEnvironment
    /// The command of an evaluation; a run's is in its record.
    package var command: [String]?
    /// The seconds of the evaluation, and the peak memory of the process until its end.
    package var seconds: Double
    package var peakBytes: Int

    package init(
        title: String, split: EvaluatedSplit, source: String, metrics: EvaluationMetrics, examples: [ExampleGroup], model: Model,
        story: RunStory?,
        data: DataSummary?, environment: RunEnvironment, command: [String]?, seconds: Double, peakBytes: Int
    ) {
        (self.title, self.split, self.source, self.metrics, self.examples) = (title, split, source, metrics, examples)
        (self.model, self.story, self.data, self.environment) = (model, story, data, environment)
        (self.command, self.seconds, self.peakBytes) = (command, seconds, peakBytes)
    }

    /// The number of clips that were held out of the training, as far as is known.
    var heldOutClips: Int { (data?.clips(of: "val") ?? 0) + (data?.clips(of: "test") ?? 0) }

    /// Whether the evaluated clips chose the best epoch among several, as far as is known.
    var clipsChoseEpoch: Bool {
        guard split == .validation, story?.epochs.count != 1 else { return false }
        return story?.record?.monitor?.hasPrefix("val_") ?? true
    }
}
