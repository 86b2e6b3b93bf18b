import VidSystem

/// Everything one training run depends on: the content of a config file with defaults filled in.
///
/// Each default is written once, at its property; an empty JSON object gives `RunConfiguration()`. Each key is written
/// once, in the table of its section (`fields`): reading, writing, checking, schema and reference all come from there.
package struct RunConfiguration: ConfigurationSection {
    /// Seed of every random number of the run: initial weights, split, order, dropout, sampling.
    package var seed: UInt64 = 1
    package var model = ModelConfiguration()
    package var optimizer = OptimizerConfiguration()
    package var data = DataConfiguration()
    package var augmentation = AugmentationConfiguration()
    package var training = TrainingConfiguration()
    /// Stages of the training, one after the other; none: a single one with the values above.
    package var stages: [StageConfiguration] = []
    package var evaluation = EvaluationConfiguration()
    package var output = OutputConfiguration()

    package init() {}
}

extension RunConfiguration {
    /// The key by which a file names its schema for editors; ignored when the file is read.
    static let schemaKey = "$schema"

    /// The key of a remark, a string or an array of strings, at the top of a file; ignored when the file is read.
    package static let commentKey = "$comment"

    package static let fields: [ConfigurationField<Self>] = [
        .init("seed", \.seed, .integer(0...UInt64(Int64.max)), "Seed of every random number of the run."),
        .init("model", \.model, ModelConfiguration.codec, "The network."),
        .init("optimizer", \.optimizer, OptimizerConfiguration.codec, "The optimizer and its settings."),
        .init("data", \.data, DataConfiguration.codec, "The clips."),
        .init("augmentation", \.augmentation, AugmentationConfiguration.codec, "Random changes of the training clips."),
        .init("training", \.training, TrainingConfiguration.codec, "The training loop."),
        .init(
            "stages", \.stages, .list(of: StageConfiguration.codec, "an array of stages"),
            "Stages of the training, each with its own trained layers and learning rate, such as the head first; none: a single one."),
        .init("evaluation", \.evaluation, EvaluationConfiguration.codec, "How clips are evaluated."),
        .init("output", \.output, OutputConfiguration.codec, "Where the run's folder is."),
    ]

    /// Whether training sees a different sample of a clip each time (mixup aside).
    package var variesInTraining: Bool { augmentation.changesClips || data.sampling.isRandom }

    /// The number of clips whose gradients make one optimizer step.
    package var clipsPerStep: Int { training.batchSize * optimizer.gradientAccumulationSteps }

    /// The most clips that a step computes at a time: a shard's part of a batch.
    package var clipsPerPass: Int { (training.batchSize + training.shards - 1) / training.shards }

    /// Every value resolved, defaults included, in the order of the tables.
    package var json: JSONNode { Self.codec.encode(self) }
}
