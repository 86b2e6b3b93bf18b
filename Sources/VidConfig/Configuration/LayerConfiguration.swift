/// A layer over the sequence of frame vectors.
package enum RecurrentLayerConfiguration: ConfigurationValue {
    case lstm(RecurrentOptions)
    case gru(RecurrentOptions)
    /// Allowed before the lstm and gru layers only.
    case batchNormalization(BatchNormalizationOptions)
}

/// A layer over the clip's vector.
package enum HiddenLayerConfiguration: ConfigurationValue {
    case dense(DenseOptions)
    /// Sets a share `rate` of the inputs to zero while training and scales the others by 1 / (1 - rate).
    case dropout(rate: Float)
    case batchNormalization(BatchNormalizationOptions)
}

/// The options of an LSTM or GRU layer.
package struct RecurrentOptions: ConfigurationSection {
    package var units = 256
    package var activation = ActivationName.tanh
    /// The gates' activation: `hard_sigmoid`, as in Keras 1 (Keras 2 and 3: `sigmoid`).
    package var recurrentActivation = ActivationName.hardSigmoid
    /// Reads the sequence in both directions and concatenates the results: 2 x units values.
    package var bidirectional = false
    /// Share of the inputs dropped while training, the same ones at every step.
    package var dropout: Float = 0
    /// Share of the recurrent state dropped while training, the same ones at every step.
    package var recurrentDropout: Float = 0

    package init() {}

    package init(units: Int) {
        self.units = units
    }
}

/// The options of a dense layer.
package struct DenseOptions: ConfigurationSection {
    package var units = 1024
    package var activation = ActivationName.relu

    package init() {}

    package init(units: Int, activation: ActivationName = DenseOptions().activation) {
        self.units = units
        self.activation = activation
    }
}

/// The options of a dropout layer, for its table only.
struct DropoutOptions: ConfigurationSection {
    var rate: Float = 0.5
}

/// Keras's batch normalisation over the last axis.
package struct BatchNormalizationOptions: ConfigurationSection {
    /// The moving averages' momentum: new = momentum x old + (1 - momentum) x batch.
    package var momentum: Float = 0.99
    /// Added to the variance.
    package var epsilon: Float = 1e-3

    package init() {}
}

/// Keras's names of the activation functions.
package enum ActivationName: String, Sendable, Equatable, CaseIterable {
    case linear
    case relu
    case tanh
    case sigmoid
    /// clip(0.2 x + 0.5, 0, 1), as Keras 1 and 2 have it.
    case hardSigmoid = "hard_sigmoid"
    case softmax
}

// MARK: - Tables

extension RecurrentOptions {
    /// Softmax cannot be the activation of a gate or state.
    private static let activations: [ActivationName] = [.linear, .relu, .tanh, .sigmoid, .hardSigmoid]

    package static let fields: [ConfigurationField<Self>] = [
        .init("units", \.units, .integer(1...65536), "Size of the state."),
        .init("activation", \.activation, .word(activations), "Activation of the candidate state and, in an LSTM, of the output."),
        .init(
            "recurrent_activation", \.recurrentActivation, .word([.sigmoid, .hardSigmoid]),
            "Activation of the gates; hard_sigmoid is clip(0.2x + 0.5, 0, 1) as in Keras 1."),
        .init("bidirectional", \.bidirectional, .boolean, "Read the frames in both directions and concatenate the results."),
        .init("dropout", \.dropout, .number(.share), "Share of the inputs dropped in training."),
        .init("recurrent_dropout", \.recurrentDropout, .number(.share), "Share of the state dropped in training."),
    ]
}

extension DenseOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("units", \.units, .integer(1...65536), "Number of outputs."),
        .init("activation", \.activation, .word(), "Activation of the output."),
    ]
}

extension BatchNormalizationOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("momentum", \.momentum, .number(.share), "Momentum of the moving mean and variance."),
        .init("epsilon", \.epsilon, .number(.above(0)), "Added to the variance."),
    ]
}

extension DropoutOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("rate", \.rate, .number(.share), "Share of the values dropped in training.")
    ]
}

// MARK: - Types

extension RecurrentLayerConfiguration {
    package static var codec: ConfigurationCodec<Self> {
        .union(
            tag: "type",
            variants: [
                .init(
                    "lstm", "Long short-term memory.", wrap: { .lstm($0) },
                    unwrap: { if case .lstm(let options) = $0 { options } else { nil } }),
                .init(
                    "gru", "Gated recurrent unit.", wrap: { .gru($0) }, unwrap: { if case .gru(let options) = $0 { options } else { nil } }),
                .init(
                    "batch_normalization", "Normalisation of each feature; before the lstm and gru layers only.",
                    wrap: { .batchNormalization($0) },
                    unwrap: { if case .batchNormalization(let options) = $0 { options } else { nil } }),
            ],
            word: { layer in
                switch layer {
                case .lstm: "lstm"
                case .gru: "gru"
                case .batchNormalization: "batch_normalization"
                }
            })
    }
}

extension HiddenLayerConfiguration {
    package static var codec: ConfigurationCodec<Self> {
        .union(
            tag: "type",
            variants: [
                .init(
                    "dense", "A fully connected layer.", wrap: { .dense($0) },
                    unwrap: { if case .dense(let options) = $0 { options } else { nil } }),
                .init(
                    "dropout", "Values dropped at random in training.", wrap: { .dropout(rate: $0.rate) },
                    unwrap: { if case .dropout(let rate) = $0 { DropoutOptions(rate: rate) } else { nil } }),
                .init(
                    "batch_normalization", "Normalisation of each feature.", wrap: { .batchNormalization($0) },
                    unwrap: { if case .batchNormalization(let options) = $0 { options } else { nil } }),
            ],
            word: { layer in
                switch layer {
                case .dense: "dense"
                case .dropout: "dropout"
                case .batchNormalization: "batch_normalization"
                }
            })
    }
}
