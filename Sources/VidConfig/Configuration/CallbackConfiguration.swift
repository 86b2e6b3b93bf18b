// What watches a training and steps in after an epoch, under the names of Keras's callbacks.

/// A figure that is known after every epoch, under Keras's name.
package enum MonitoredMetric: String, Sendable, Equatable, Codable, CaseIterable {
    case loss
    case categoricalAccuracy = "categorical_accuracy"
    case validationLoss = "val_loss"
    case validationAccuracy = "val_categorical_accuracy"
    case validationTop5 = "val_top_5_accuracy"
    case validationMacroF1 = "val_macro_f1"

    /// Whether it needs a validation part.
    package var needsValidation: Bool { self != .loss && self != .categoricalAccuracy }

    /// Whether less is better.
    package var isLoss: Bool { self == .loss || self == .validationLoss }
}

package enum MonitorMode: String, Sendable, Equatable, Codable, CaseIterable {
    /// A loss is to fall, everything else to rise.
    case auto
    case min
    case max
}

/// Keras's EarlyStopping on `training.monitor`.
package struct EarlyStoppingConfiguration: ConfigurationSection {
    /// Epochs without a better figure after which training, or a stage of it, ends; nil: never.
    package var patience: Int?
    /// What counts as better.
    package var minDelta = 0.0
    /// Epochs before which nothing is counted.
    package var startFromEpoch = 0
    /// Whether training, or the next stage, goes on from the weights of the best epoch.
    package var restoreBestWeights = false

    package init() {}
}

/// Keras's ReduceLROnPlateau.
package struct ReduceOnPlateauConfiguration: ConfigurationSection {
    /// Epochs without a better figure after which the rate is reduced; nil: never.
    package var patience: Int?
    package var monitor = MonitoredMetric.validationLoss
    package var factor = 0.1
    package var minDelta = 1e-4
    /// Epochs after a reduction in which none are counted.
    package var cooldown = 0
    package var minLearningRate = 0.0

    package init() {}
}

/// The learning rate over a training, or over each stage of it: what `optimizer.learning_rate` is multiplied by, step by step.
package struct LearningRateScheduleConfiguration: ConfigurationValue {
    package var type = LearningRateScheduleType.constant
    /// Epochs, or parts of one, over which the rate rises from nothing first.
    package var warmupEpochs = 0.0
    /// The share that is left at the end (cosine).
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
        .init("min_delta", \.minDelta, .number(.atLeast(0)), "By how much a figure must be better to count as better."),
        .init("start_from_epoch", \.startFromEpoch, .integer(0...1_000_000), "Epochs before any are counted."),
        .init(
            "restore_best_weights", \.restoreBestWeights, .boolean,
            "Training, or a stage, ends with the weights of the best epoch so far: those of best.safetensors."),
    ]
}

extension ReduceOnPlateauConfiguration {
    package static let fields: [ConfigurationField<Self>] = [
        .init(
            "patience", \.patience, .nullable(.integer(0...1_000_000)),
            "Epochs without a better figure after which the learning rate is reduced; null: never."),
        .init("monitor", \.monitor, .word(), "The figure."),
        .init("factor", \.factor, .number(.share), "What the rate is multiplied by."),
        .init("min_delta", \.minDelta, .number(.atLeast(0)), "By how much a figure must be better to count as better."),
        .init("cooldown", \.cooldown, .integer(0...1_000_000), "Epochs after a reduction in which none are counted."),
        .init("min_lr", \.minLearningRate, .number(.atLeast(0)), "The rate is not reduced below it."),
    ]
}

extension LearningRateScheduleConfiguration {
    private static let fields: [(field: ConfigurationField<Self>, types: [LearningRateScheduleType])] = [
        (
            .init(
                "warmup_epochs", \.warmupEpochs, .number(NumberBounds(from: 0, to: 1_000_000)),
                "Epochs, or parts of one, in which the rate first rises from 0, step by step."),
            LearningRateScheduleType.allCases
        ),
        (.init("alpha", \.alpha, .number(.probability), "Share of the rate that is left at the end."), [.cosine]),
        (.init("step_epochs", \.stepEpochs, .integer(1...1_000_000), "Epochs from one reduction to the next."), [.step]),
        (.init("factor", \.factor, .number(NumberBounds(above: 0, to: 1)), "What a reduction multiplies the rate by."), [.step]),
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
