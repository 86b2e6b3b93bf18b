/// The training loop.
package struct TrainingConfiguration: ConfigurationSection {
    package var epochs = 20
    /// Clips per step.
    package var batchSize = 8
    /// Draws the clips in a new order each epoch.
    package var shuffle = true
    /// GiB (2^30 bytes) of memory that the training may take; nil: what the machine has free.
    package var memoryGiB: Double?
    /// The targets become (1 - s) x one-hot + s / classes.
    package var labelSmoothing: Float = 0

    package init() {}
}

/// Where the run is kept.
package struct OutputConfiguration: ConfigurationSection {
    package var directory = "runs"
    /// The run's folder in `directory`; a number is added when it exists.
    package var name = "train"
    /// Writes into an existing folder instead of making a numbered one.
    package var existOk = false

    package init() {}
}

// MARK: - Tables

extension TrainingConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("epochs", \.epochs, .integer(1...1_000_000), "Passes over the training clips."),
        .init("batch_size", \.batchSize, .integer(1...65536), "Clips per step."),
        .init("shuffle", \.shuffle, .boolean, "Draw the clips in a new order each epoch."),
        .init(
            "memory_gib", \.memoryGiB, .nullable(.number(.above(0))),
            "GiB of memory the training may take in all; null: what the machine has free. Speed depends on it, results do not."),
        .init("label_smoothing", \.labelSmoothing, .number(.share), "Share of the target spread evenly over all classes."),
    ]
}

extension OutputConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init("directory", \.directory, .text("the path of a folder"), "Folder of the runs."),
        .init("name", \.name, .fileName("a folder's name without \"/\""), "Folder of this run; a number is added when it exists."),
        .init("exist_ok", \.existOk, .boolean, "Use the folder even when it exists."),
    ]
}
