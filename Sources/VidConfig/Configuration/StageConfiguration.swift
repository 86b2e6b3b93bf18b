/// A part of the training with its own trained layers and learning rate, such as the head alone first.
///
/// A stage starts with a fresh optimiser, as a Keras model does that is compiled again.
package struct StageConfiguration: ConfigurationSection {
    /// nil: what the other stages leave of `training.epochs`.
    package var epochs: Int?
    /// nil: `model.cnn.trainable`.
    package var trainable: Trainable?
    /// nil: `optimizer.learning_rate`.
    package var learningRate: Double?

    package init() {}
}

extension StageConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init(
            "epochs", \.epochs, .nullable(.integer(1...1_000_000)),
            "Epochs of the stage; null, for the last one: what the others leave of training.epochs."),
        .init("trainable", \.trainable, .nullable(Trainable.codec), "Which convolutions learn; null: model.cnn.trainable."),
        .init("learning_rate", \.learningRate, .nullable(.number(.above(0))), "Step size; null: optimizer.learning_rate."),
    ]
}

/// How clips are evaluated, after training and after each epoch.
package struct EvaluationConfiguration: ConfigurationSection {
    /// Samples of frames taken of each clip, whose scores are averaged.
    package var clips = 1

    package init() {}

    package static let fields: [ConfigurationField<Self>] = [
        .init("clips", \.clips, .integer(1...1000), "Samples of frames taken of each video, spread over it; their scores are averaged.")
    ]
}
