/// A layer over the sequence of frame vectors.
package enum RecurrentLayerConfiguration: ConfigurationValue {
    case lstm(RecurrentOptions)
    case gru(RecurrentOptions)
    /// Stands before the lstm and gru layers only.
    case batchNormalization(BatchNormalizationOptions)
}

/// A layer over the clip's vector.
package enum HiddenLayerConfiguration: ConfigurationValue {
    case dense(DenseOptions)
    /// Sets a share `rate` of the inputs to zero while training and scales the others by 1 / (1 - rate).
    case dropout(rate: Float)
    case batchNormalization(BatchNormalizationOptions)
}

/// What an LSTM or a GRU is made of.
package struct RecurrentOptions: ConfigurationSection {
    package var units = 256
    package var activation = ActivationName.tanh
    /// Of the gates. `hard_sigmoid` as in Keras 1, which the example of the design follows (Keras 2 and 3: `sigmoid`).
    package var recurrentActivation = ActivationName.hardSigmoid
    /// Reads the sequence in both directions and joins the two results: 2 x units values.
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

/// What a dense layer is made of.
package struct DenseOptions: ConfigurationSection {
    package var units = 1024
    package var activation = ActivationName.relu

    package init() {}

    package init(units: Int, activation: ActivationName = DenseOptions().activation) {
        self.units = units
        self.activation = activation
    }
}

/// What a dropout layer is made of, in its table; elsewhere the rate goes by itself.
struct DropoutOptions: ConfigurationSection {
    var rate: Float = 0.5
}

/// Keras's batch normalisation over the last axis.
package struct BatchNormalizationOptions: ConfigurationSection {
    /// Of the moving averages: new = momentum x old + (1 - momentum) x batch.
    package var momentum: Float = 0.99
    /// Added to the variance.
    package var epsilon: Float = 1e-3

    package init() {}
}

/// Keras's names of the activation functions.
package enum ActivationName: String, Sendable, Equatable, Codable, CaseIterable {
    case linear
    case relu
    case tanh
    case sigmoid
    /// clip(0.2 x + 0.5, 0, 1), as Keras 1 and 2 have it.
    case hardSigmoid = "hard_sigmoid"
    case softmax
}
