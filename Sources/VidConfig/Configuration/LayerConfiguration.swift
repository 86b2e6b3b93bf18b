/// A layer over the sequence of frame vectors.
package enum RecurrentLayerConfiguration: ConfigurationValue {
    case lstm(RecurrentOptions)
    case gru(RecurrentOptions)
    /// A convolution over time.
    case conv1D(Conv1DOptions)
    /// Self-attention over time, with a residual connection and layer normalisation.
    case attention(AttentionOptions)
    case layerNormalization(LayerNormalizationOptions)
    case batchNormalization(BatchNormalizationOptions)
}

extension [RecurrentLayerConfiguration] {
    /// The index of the lstm or gru that gives its final state alone, one vector per clip: the last one, unless a conv1d or an
    /// attention, which need all steps, comes after it. Nil: the layers give one vector per step, and their mean over time follows.
    package var finalStateIndex: Int? {
        for (index, layer) in enumerated().reversed() {
            switch layer {
            case .lstm, .gru: return index
            case .conv1D, .attention: return nil
            case .layerNormalization, .batchNormalization: continue
            }
        }
        return nil
    }
}

/// A layer over the clip's vector.
package enum HiddenLayerConfiguration: ConfigurationValue {
    case dense(DenseOptions)
    /// Sets a share `rate` of the inputs to zero while training and scales the others by 1 / (1 - rate).
    case dropout(rate: Float)
    case layerNormalization(LayerNormalizationOptions)
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

/// The options of a convolution over time. Its stride is one step.
package struct Conv1DOptions: ConfigurationSection {
    package var filters = 64
    package var kernelSize = 3
    package var padding = TimePadding.same
    /// Steps from one value of the kernel to the next.
    package var dilationRate = 1
    package var activation = ActivationName.linear
    package var useBias = true

    package init() {}
}

/// Which steps a convolution over time looks at; both give as many steps as they get.
package enum TimePadding: String, Sendable, Equatable, CaseIterable {
    /// Steps before and after.
    case same
    /// The step itself and those before it.
    case causal
}

/// The options of a self-attention over time.
package struct AttentionOptions: ConfigurationSection {
    package var numHeads = 4
    /// The features of a head's queries, keys and values; nil: those of the input divided by the heads.
    package var keyDim: Int?
    /// Share of the attention weights dropped while training.
    package var dropout: Float = 0
    /// Whether a step attends to itself and the steps before it only.
    package var useCausalMask = false

    package init() {}

    /// The features of a head for an input of so many features.
    package func keyDimension(features: Int) -> Int { keyDim ?? Swift.max(1, features / numHeads) }
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

/// Keras's layer normalisation over the last axis.
package struct LayerNormalizationOptions: ConfigurationSection {
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

extension Conv1DOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("filters", \.filters, .integer(1...65536), "Number of outputs per step."),
        .init("kernel_size", \.kernelSize, .integer(1...1024), "Steps that the kernel covers."),
        .init("padding", \.padding, .word(), "same: the kernel looks before and after a step. causal: not after it."),
        .init("dilation_rate", \.dilationRate, .integer(1...65536), "Distance between the steps that the kernel covers."),
        .init("activation", \.activation, .word(), "Activation of the output."),
        .init("use_bias", \.useBias, .boolean, "Add a bias to each filter."),
    ]
}

extension AttentionOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("num_heads", \.numHeads, .integer(1...1024), "Number of attention heads."),
        .init(
            "key_dim", \.keyDim, .nullable(.integer(1...65536)),
            "Size of each head's queries, keys and values; null: the input's features divided by num_heads, rounded down (at least 1)."),
        .init("dropout", \.dropout, .number(.share), "Share of the attention weights dropped in training."),
        .init("use_causal_mask", \.useCausalMask, .boolean, "Let a step attend to itself and earlier steps only."),
    ]
}

extension LayerNormalizationOptions {
    package static let fields: [ConfigurationField<Self>] = [
        .init("epsilon", \.epsilon, .number(.above(0)), "Added to the variance.")
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
                    "conv1d", "Convolution over time.", wrap: { .conv1D($0) },
                    unwrap: { if case .conv1D(let options) = $0 { options } else { nil } }),
                .init(
                    "attention", "Multi-head self-attention over time, added to its input; then layer normalisation.",
                    wrap: { .attention($0) }, unwrap: { if case .attention(let options) = $0 { options } else { nil } }),
                .init(
                    "layer_normalization", "Normalisation of each step over its features.", wrap: { .layerNormalization($0) },
                    unwrap: { if case .layerNormalization(let options) = $0 { options } else { nil } }),
                .init(
                    "batch_normalization", "Normalisation of each feature over clips and steps.", wrap: { .batchNormalization($0) },
                    unwrap: { if case .batchNormalization(let options) = $0 { options } else { nil } }),
            ],
            word: { layer in
                switch layer {
                case .lstm: "lstm"
                case .gru: "gru"
                case .conv1D: "conv1d"
                case .attention: "attention"
                case .layerNormalization: "layer_normalization"
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
                    "layer_normalization", "Normalisation of each clip over its features.", wrap: { .layerNormalization($0) },
                    unwrap: { if case .layerNormalization(let options) = $0 { options } else { nil } }),
                .init(
                    "batch_normalization", "Normalisation of each feature over clips.", wrap: { .batchNormalization($0) },
                    unwrap: { if case .batchNormalization(let options) = $0 { options } else { nil } }),
            ],
            word: { layer in
                switch layer {
                case .dense: "dense"
                case .dropout: "dropout"
                case .layerNormalization: "layer_normalization"
                case .batchNormalization: "batch_normalization"
                }
            })
    }
}
