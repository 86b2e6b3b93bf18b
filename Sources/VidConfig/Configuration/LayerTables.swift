// The keys of the layers: the tables of their options, and which words choose which.

extension RecurrentOptions {
    /// Softmax makes no gate and no state.
    private static let activations: [ActivationName] = [.linear, .relu, .tanh, .sigmoid, .hardSigmoid]

    package static let fields: [ConfigurationField<Self>] = [
        .init("units", \.units, .integer(1...65536), "Size of the state."),
        .init("activation", \.activation, .word(activations), "Of the candidate state and, in an LSTM, of the output."),
        .init(
            "recurrent_activation", \.recurrentActivation, .word([.sigmoid, .hardSigmoid]),
            "Of the gates; hard_sigmoid is clip(0.2x + 0.5, 0, 1) as in Keras 1."),
        .init("bidirectional", \.bidirectional, .boolean, "Read the frames in both directions and join the results."),
        .init("dropout", \.dropout, .number(.share), "Share of the inputs dropped in training."),
        .init("recurrent_dropout", \.recurrentDropout, .number(.share), "Share of the state dropped in training."),
    ]
}

extension DenseOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("units", \.units, .integer(1...65536), "Size of the output."),
        .init("activation", \.activation, .word(), "Of the output."),
    ]
}

extension BatchNormalizationOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("momentum", \.momentum, .number(.share), "Of the moving mean and variance."),
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
