import VidSystem

/// The training loop.
package struct TrainingConfiguration: ConfigurationSection {
    package var epochs = 20
    /// Clips per step.
    package var batchSize = 8
    /// Parts of a batch whose gradients are computed by themselves and added pairwise; the ranks of a cluster share them out.
    package var shards = 1
    /// Draws the clips in a new order each epoch.
    package var shuffle = true
    /// GiB (2^30 bytes) of memory that the training may take; nil: what the machine has free.
    package var memoryGiB: Double?
    /// The targets become (1 - s) x one-hot + s / classes.
    package var labelSmoothing: Float = 0
    package var classWeights = ClassWeights.none
    /// Draws equally many clips of each class in an epoch.
    package var balancedSampling = false
    /// The metric that decides which checkpoint is best.
    package var monitor = Metric(.validationAccuracy)
    package var mode = MonitorMode.auto
    /// Ends the training when `monitor` reaches it.
    package var target: Double?
    package var earlyStopping = EarlyStoppingConfiguration()
    package var reduceOnPlateau = ReduceOnPlateauConfiguration()
    package var schedule = LearningRateScheduleConfiguration()
    /// Minutes after which the training stops, ready to be resumed.
    package var maxMinutes: Double?
    /// Minutes between saves of the state within an epoch; nil: only after each epoch.
    package var saveEveryMinutes: Double? = 10
    /// Epochs between checkpoints that are kept; nil: none is.
    package var saveEveryEpochs: Int?

    package init() {}
}

/// Where the run's folder is.
package struct OutputConfiguration: ConfigurationSection {
    package var directory = "runs"
    /// The run's folder in `directory`; a number is added when it exists.
    package var name = "train"
    /// Writes into an existing folder instead of making a numbered one.
    package var existOk = false
    /// Writes TensorBoard's event files into the run's folder.
    package var tensorboard = true

    package init() {}
}

// MARK: - Tables

extension TrainingConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("epochs", \.epochs, .integer(1...1_000_000), "Passes over the training clips."),
        .init("batch_size", \.batchSize, .integer(1...65536), "Clips per step."),
        .init(
            "shards", \.shards, .integer(1...1024),
            "Parts that each batch is cut into, for the ranks of a cluster; at most batch_size. Results depend on it, but not on the number of ranks."
        ),
        .init("shuffle", \.shuffle, .boolean, "Draw the clips in a new order each epoch."),
        .init(
            "memory_gib", \.memoryGiB, .nullable(.number(.above(0))),
            "GiB of memory the training may take in all; null: what the machine has free. Speed depends on it, results do not."),
        .init(
            "label_smoothing", \.labelSmoothing, .number(.share),
            "Share of the target spread evenly over all classes; in train/loss, not in val/loss."),
        .init(
            "class_weights", \.classWeights, ClassWeights.codec,
            "Factor of a clip's loss, by its label; labels that are not named have 1; 0 takes a class out of the loss; balanced: all clips / (classes * clips of the class)."
        ),
        .init("balanced_sampling", \.balancedSampling, .boolean, "Draw equally many clips of every class in an epoch, repeating some."),
        .init(
            "monitor", \.monitor, .metric,
            "The metric that best.safetensors and early_stopping use. Without a validation split, training loss or accuracy."),
        .init(
            "mode", \.mode, .word(),
            "Whether a higher (max) or lower (min) metric is better; auto: lower for losses, val_ece and val_brier, higher for the others."),
        .init("target", \.target, .nullable(.number(.atLeast(0))), "End when the monitored metric is at least this good; null: never."),
        .init("early_stopping", \.earlyStopping, EarlyStoppingConfiguration.codec, "End when the monitored metric stops improving."),
        .init(
            "reduce_lr_on_plateau", \.reduceOnPlateau, ReduceOnPlateauConfiguration.codec,
            "A smaller learning rate when the metric stops improving."),
        .init(
            "learning_rate_schedule", \.schedule, LearningRateScheduleConfiguration.codec, "The learning rate over the training or stage."),
        .init(
            "max_minutes", \.maxMinutes, .nullable(.number(.above(0))),
            "Minutes after which training stops, ready to be resumed; null: never."),
        .init(
            "save_every_minutes", \.saveEveryMinutes, .nullable(.number(.atLeast(0))),
            "Minutes between saves of the state within an epoch; 0: after every step; null: after each epoch only."),
        .init(
            "save_every_epochs", \.saveEveryEpochs, .nullable(.integer(1...1_000_000)),
            "Epochs between checkpoints that are kept as weights/epochN.safetensors, without the state of the optimizer; null: none."),
    ]
}

extension OutputConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("directory", \.directory, .text("the path of a folder"), "Folder of the runs."),
        .init("name", \.name, .fileName("a folder's name without \"/\""), "Folder of this run; a number is added when it exists."),
        .init("exist_ok", \.existOk, .boolean, "Use the folder even when it exists."),
        .init("tensorboard", \.tensorboard, .boolean, "Write TensorBoard's event files into the run's folder."),
    ]
}
