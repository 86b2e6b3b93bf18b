import VidConfig

/// A stage of a training: its epochs, trained layers and learning rate.
package struct StagePlan: Sendable, Equatable {
    package let epochs: Int
    package let trainable: Trainable
    package let learningRate: Double
}

extension RunConfiguration {
    /// The stages of the training; one where the configuration names none.
    package var stagePlans: [StagePlan] {
        let named = stages.isEmpty ? [StageConfiguration()] : stages
        let given = named.reduce(0) { $0 + ($1.epochs ?? 0) }
        return named.map {
            StagePlan(
                epochs: $0.epochs ?? max(0, training.epochs - given), trainable: $0.trainable ?? model.cnn?.trainable ?? .none,
                learningRate: $0.learningRate ?? optimizer.learningRate)
        }
    }

    /// The run's model with the trained layers of stage `index`.
    package func model(ofStage index: Int) -> ModelConfiguration {
        var model = model
        model.cnn?.trainable = stagePlans[index].trainable
        return model
    }
}

/// The reason why a stage ended.
package enum StageEnd: String, Sendable, Codable {
    case epochs
    case earlyStopping = "early_stopping"
    case target
}
