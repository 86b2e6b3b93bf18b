// Callbacks that act after an epoch, under the names of Keras's.

package enum MonitorMode: String, Sendable, Equatable, Codable, CaseIterable {
    /// Losses and errors should fall, every other metric should rise.
    case auto
    case min
    case max
}

/// Keras's EarlyStopping on `training.monitor`.
package struct EarlyStoppingConfiguration: ConfigurationSection {
    /// Epochs without an improvement after which training, or a stage of it, ends; nil: never.
    package var patience: Int?
    /// An improvement must be larger than this.
    package var minDelta = 0.0
    /// Epochs at the start that are not counted.
    package var startFromEpoch = 0
    /// Restores the weights of the best epoch so far when training, or a stage of it, ends.
    package var restoreBestWeights = false

    package init() {}
}

/// Keras's ReduceLROnPlateau.
package struct ReduceOnPlateauConfiguration: ConfigurationSection {
    /// Epochs without an improvement after which the rate is reduced; nil: never.
    package var patience: Int?
    package var monitor = Metric(.validationLoss)
    package var factor = 0.1
    package var minDelta = 1e-4
    /// Epochs after a reduction that are not counted.
    package var cooldown = 0
    package var minLearningRate = 0.0

    package init() {}
}

/// The factor of `optimizer.learning_rate` at each step of a training, or of each stage of it.
package struct LearningRateScheduleConfiguration: ConfigurationValue {
    package var type = LearningRateScheduleType.constant
    /// Epochs, or a fraction of one, in which the rate first rises from 0.
    package var warmupEpochs = 0.0
    /// Fraction of the rate that is left at the end (cosine).
    package var alpha = 0.0
    /// Epochs from one reduction to the next, and the factor (step).
    package var stepEpochs = 10
    package var factor = 0.1

    package init() {}

    package init(type: LearningRateScheduleType) { self.type = type }
}

package enum LearningRateScheduleType: String, Sendable, Equatable, Codable, CaseIterable {
    case constant
    /// Keras's CosineDecay (Loshchilov and Hutter 2017).
    case cosine
    case step
}

// MARK: - Tables

extension EarlyStoppingConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init(
            "patience", \.patience, .nullable(.integer(0...1_000_000)),
            "Epochs without a better training.monitor after which training, or a stage of it, ends; null: never."),
        .init("min_delta", \.minDelta, .number(.atLeast(0)), "By how much the metric must improve to count as better."),
        .init("start_from_epoch", \.startFromEpoch, .integer(0...1_000_000), "Epochs at the start that are not counted."),
        .init(
            "restore_best_weights", \.restoreBestWeights, .boolean,
            "End training, or a stage of it, with the weights of the best epoch so far: those of best.safetensors."),
    ]
}

extension ReduceOnPlateauConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init(
            "patience", \.patience, .nullable(.integer(0...1_000_000)),
            "Epochs without a better metric after which the learning rate is reduced; null: never."),
        .init("monitor", \.monitor, .metric, "The metric."),
        .init("factor", \.factor, .number(.share), "Factor of a reduction."),
        .init("min_delta", \.minDelta, .number(.atLeast(0)), "By how much the metric must improve to count as better."),
        .init("cooldown", \.cooldown, .integer(0...1_000_000), "Epochs after a reduction that are not counted."),
        .init("min_lr", \.minLearningRate, .number(.atLeast(0)), "The rate is not reduced below it."),
    ]
}

extension LearningRateScheduleConfiguration {
    private static let fields: [(field: ConfigurationField<Self>, types: [LearningRateScheduleType])] = [
        (
            .init(
                "warmup_epochs", \.warmupEpochs, .number(NumberBounds(from: 0, to: 1_000_000)),
                "Epochs, or a fraction of one, in which the rate first rises from 0, step by step."),
            LearningRateScheduleType.allCases
        ),
        (.init("alpha", \.alpha, .number(.probability), "Fraction of the rate that is left at the end."), [.cosine]),
        (
            .init(
                "step_epochs", \.stepEpochs, .integer(1...1_000_000),
                "Epochs from one reduction to the next, counted from the start of the training or stage."), [.step]
        ),
        (.init("factor", \.factor, .number(NumberBounds(above: 0, to: 1)), "Factor of a reduction."), [.step]),
    ]

    package static var codec: ConfigurationCodec<Self> {
        .union(
            tag: "type", defaultWord: LearningRateScheduleConfiguration().type.rawValue,
            variants: LearningRateScheduleType.allCases.map { type in
                ConfigurationVariant(
                    type.rawValue, type.documentation, initial: LearningRateScheduleConfiguration(type: type),
                    fields: fields.filter { $0.types.contains(type) }.map(\.field))
            },
            word: { $0.type.rawValue })
    }
}

extension LearningRateScheduleType {
    fileprivate var documentation: String {
        switch self {
        case .constant: "The same rate throughout."
        case .cosine: "Falls along half a cosine to the last epoch."
        case .step: "Multiplied by a factor every few epochs."
        }
    }
}
