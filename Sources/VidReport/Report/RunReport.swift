import VidModel

/// All that `report.html` says, gathered and not yet worded.
package struct RunReport: Sendable {
    /// What the evaluated clips were to the training.
    package enum Part: String, Sendable {
        case test
        case validation = "val"
        case training = "train"
        /// Clips of other data, or of several parts.
        case other
    }

    /// The model as it was evaluated.
    package struct Model: Sendable {
        package let checkpoint: String
        package let layers: [LayerSummary]
        package let parameters: (total: Int, trainable: Int)
        /// "16 frames of 224 x 224 x 3".
        package let input: String
        /// What there is to say of the training, as `TrainingSummary` has it.
        package let training: [(label: String, text: String)]

        package init(
            checkpoint: String, layers: [LayerSummary], parameters: (total: Int, trainable: Int), input: String,
            training: [(label: String, text: String)]
        ) {
            self.checkpoint = checkpoint
            self.layers = layers
            self.parameters = parameters
            self.input = input
            self.training = training
        }
    }

    /// What the report is about: the run's folder, or the evaluation's.
    package var title: String
    package var part: Part
    /// Where the evaluated clips come from.
    package var source: String
    /// Clips left out because the model does not know their labels.
    package var unknownClips = 0
    package var metrics: EvaluationMetrics
    package var examples: [ExampleGroup]
    package var model: Model
    /// Of a run; nil where the checkpoint lies in none.
    package var story: RunStory?
    package var data: DataSummary?
    package var environment: RunEnvironment
    /// The command that made the report, for an evaluation; a run's is in its story.
    package var command: [String]?
    /// Seconds of the evaluation and the most memory the process held by then.
    package var seconds: Double
    package var peakBytes: Int

    package init(
        title: String, part: Part, source: String, metrics: EvaluationMetrics, examples: [ExampleGroup], model: Model, story: RunStory?,
        data: DataSummary?, environment: RunEnvironment, command: [String]?, seconds: Double, peakBytes: Int
    ) {
        self.title = title
        self.part = part
        self.source = source
        self.metrics = metrics
        self.examples = examples
        self.model = model
        self.story = story
        self.data = data
        self.environment = environment
        self.command = command
        self.seconds = seconds
        self.peakBytes = peakBytes
    }
}

/// Clips of one kind, to be looked at.
package struct ExampleGroup: Sendable {
    package enum Kind: String, Sendable, CaseIterable { case best, worst, doubtful }

    package let kind: Kind
    package let examples: [ClipExample]

    package init(kind: Kind, examples: [ClipExample]) {
        self.kind = kind
        self.examples = examples
    }
}

/// A clip with what the model said of it and a picture of its frames.
package struct ClipExample: Sendable {
    /// A PNG with what it shows in words.
    package struct Picture: Sendable {
        package let png: [UInt8]
        package let width: Int
        package let height: Int
        package let description: String

        package init(png: [UInt8], width: Int, height: Int, description: String) {
            self.png = png
            self.width = width
            self.height = height
            self.description = description
        }
    }

    /// The place among the evaluated clips: the line of predictions.csv but for the header, from 0.
    package let place: Int
    package let clip: String
    package let label: Int
    package let scores: [Float]
    /// Or why there is none.
    package let picture: Result<Picture, ExampleFault>

    package init(place: Int, clip: String, label: Int, scores: [Float], picture: Result<Picture, ExampleFault>) {
        self.place = place
        self.clip = clip
        self.label = label
        self.scores = scores
        self.picture = picture
    }

    /// The classes by score, the first of equals first.
    package func ranked(_ count: Int) -> [Int] {
        Array(scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(count))
    }
}

/// Why a clip has no picture.
package struct ExampleFault: Error, Sendable {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }
}
