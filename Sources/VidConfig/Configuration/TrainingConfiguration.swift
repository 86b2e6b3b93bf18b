/// The training loop.
package struct TrainingConfiguration: Sendable, Equatable, Codable {
    package var epochs = 20
    /// Clips per step.
    package var batchSize = 8
    /// Draws the clips in a new order each epoch.
    package var shuffle = true
    /// The targets become (1 - s) x one-hot + s / classes.
    package var labelSmoothing: Float = 0

    package init() {}
}

/// Where the run is kept.
package struct OutputConfiguration: Sendable, Equatable, Codable {
    package var directory = "runs"
    /// The run's folder in `directory`; a number is added when it exists.
    package var name = "train"
    /// Writes into an existing folder instead of making a numbered one.
    package var existOk = false

    package init() {}
}
