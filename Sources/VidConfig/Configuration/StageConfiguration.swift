/// A stage of the training with its own trained layers and learning rate, such as the head alone first.
///
/// A stage starts with a fresh optimizer, like a Keras model that is compiled again.
package struct StageConfiguration: ConfigurationSection {
    /// nil: the rest of `training.epochs`.
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
            "Epochs of the stage; null (last stage only): the rest of training.epochs."),
        .init("trainable", \.trainable, .nullable(Trainable.codec), "Which convolutions are trained; null: model.cnn.trainable."),
        .init("learning_rate", \.learningRate, .nullable(.number(.above(0))), "Step size; null: optimizer.learning_rate."),
    ]
}

/// How clips are evaluated, after training and after each epoch.
package struct EvaluationConfiguration: ConfigurationSection {
    /// Samples of each clip whose scores are averaged.
    package var clips = 1

    package init() {}

    package static let fields: [ConfigurationField<Self>] = [
        .init("clips", \.clips, .integer(1...1000), "Samples of each video, spread over its length; their scores are averaged.")
    ]
}
