/// A layer of the CNN in Keras's words. A network is a list of them, each taking the output of the one before it; a residual
/// layer has lists of its own.
///
/// This is the language of `model.cnn.architecture.layers`, and named architectures are lists in it.
package enum CNNLayer: ConfigurationValue {
    case convolution(ConvolutionOptions)
    /// One kernel for each channel.
    case depthwiseConvolution(DepthwiseConvolutionOptions)
    /// A depthwise convolution and a 1x1 convolution.
    case separableConvolution(ConvolutionOptions)
    case batchNormalization(MapNormalizationOptions)
    case activation(MapActivationOptions)
    case maxPooling(MapPoolingOptions)
    case averagePooling(MapPoolingOptions)
    case zeroPadding(ZeroPaddingOptions)
    case squeezeExcite(SqueezeExciteOptions)
    case residual(ResidualOptions)
}

/// Rows and columns; in JSON one number for both, or two.
package struct MapExtent: ConfigurationValue, ExpressibleByIntegerLiteral {
    package var rows: Int
    package var columns: Int

    package init(_ rows: Int, _ columns: Int) {
        self.rows = rows
        self.columns = columns
    }

    package init(_ both: Int) { self.init(both, both) }

    package init(integerLiteral both: Int) { self.init(both, both) }
}

/// The zeros around a map.
package enum MapPadding: String, Sendable, Equatable, CaseIterable {
    /// The output has the input's extent divided by the stride, rounded up. The odd zero is below and to the right, as in Keras.
    case same
    /// No zeros.
    case valid
    /// kernel / 2 zeros on every side, as PyTorch's networks have them.
    case symmetric
}

/// The activations of the CNN's layers.
package enum MapActivation: String, Sendable, Equatable, CaseIterable {
    case linear
    case relu
    /// min(max(x, 0), 6)
    case relu6
    /// x sigmoid(x), also known as swish
    case silu
    /// x relu6(x + 3) / 6
    case hardSwish = "hard_swish"
    case tanh
    case sigmoid
    /// relu6(x + 3) / 6, as in Keras 3 and PyTorch
    case hardSigmoid = "hard_sigmoid"
}

/// `Conv2D`, and `SeparableConv2D` without `groups`.
package struct ConvolutionOptions: ConfigurationSection {
    package var name: String?
    package var filters = 32
    package var kernel: MapExtent = 3
    package var strides: MapExtent = 1
    package var padding = MapPadding.same
    /// The channels and filters are cut into so many groups, and each filter sees the channels of its group only.
    package var groups = 1
    package var usesBias = true
    package var activation = MapActivation.linear

    package init() {}

    package init(
        _ name: String? = nil, filters: Int, kernel: MapExtent = 3, strides: MapExtent = 1, padding: MapPadding = .same, groups: Int = 1,
        usesBias: Bool = true, activation: MapActivation = .linear
    ) {
        self.name = name
        self.filters = filters
        self.kernel = kernel
        self.strides = strides
        self.padding = padding
        self.groups = groups
        self.usesBias = usesBias
        self.activation = activation
    }
}

/// `DepthwiseConv2D` with one output a channel.
package struct DepthwiseConvolutionOptions: ConfigurationSection {
    package var name: String?
    package var kernel: MapExtent = 3
    package var strides: MapExtent = 1
    package var padding = MapPadding.same
    package var usesBias = true
    package var activation = MapActivation.linear

    package init() {}

    package init(
        _ name: String? = nil, kernel: MapExtent = 3, strides: MapExtent = 1, padding: MapPadding = .same, usesBias: Bool = true,
        activation: MapActivation = .linear
    ) {
        self.name = name
        self.kernel = kernel
        self.strides = strides
        self.padding = padding
        self.usesBias = usesBias
        self.activation = activation
    }
}

/// `BatchNormalization` of each channel over frames and positions.
package struct MapNormalizationOptions: ConfigurationSection {
    package var name: String?
    /// The moving averages' momentum: new = momentum x old + (1 - momentum) x batch.
    package var momentum: Float = 0.99
    /// Added to the variance.
    package var epsilon: Float = 1e-3
    package var activation = MapActivation.linear

    package init() {}

    package init(_ name: String? = nil, momentum: Float = 0.99, epsilon: Float = 1e-3, activation: MapActivation = .linear) {
        self.name = name
        self.momentum = momentum
        self.epsilon = epsilon
        self.activation = activation
    }
}

package struct MapActivationOptions: ConfigurationSection {
    package var name: String?
    package var activation = MapActivation.relu

    package init() {}

    package init(_ activation: MapActivation) { self.activation = activation }
}

/// `MaxPooling2D` and `AveragePooling2D`.
package struct MapPoolingOptions: ConfigurationSection {
    package var name: String?
    package var pool: MapExtent = 2
    /// Nil: the pool.
    package var strides: MapExtent?
    package var padding = MapPadding.valid

    package init() {}

    package init(_ name: String? = nil, pool: MapExtent = 2, strides: MapExtent? = nil, padding: MapPadding = .valid) {
        self.name = name
        self.pool = pool
        self.strides = strides
        self.padding = padding
    }
}

/// `ZeroPadding2D`: so many zeros above and below, and so many to the left and right.
package struct ZeroPaddingOptions: ConfigurationSection {
    package var name: String?
    package var padding: MapExtent = 1

    package init() {}
}

/// A factor for each channel, from the means of all channels (Hu et al. 2018, "Squeeze-and-excitation networks"):
/// y = x gate(W2 activation(W1 mean(x) + b1) + b2).
package struct SqueezeExciteOptions: ConfigurationSection {
    package var name: String?
    /// Outputs of W1; nil: a quarter of the channels.
    package var filters: Int?
    package var activation = MapActivation.relu
    package var gate = MapActivation.sigmoid

    package init() {}

    package init(_ name: String? = nil, filters: Int? = nil, activation: MapActivation = .relu, gate: MapActivation = .sigmoid) {
        self.name = name
        self.filters = filters
        self.activation = activation
        self.gate = gate
    }
}

/// activation(layers(x) + shortcut(x)) (He et al. 2016, "Deep residual learning for image recognition").
package struct ResidualOptions: ConfigurationSection {
    package var name: String?
    package var layers: [CNNLayer] = []
    /// Empty: x itself.
    package var shortcut: [CNNLayer] = []
    package var activation = MapActivation.linear

    package init() {}

    package init(_ name: String? = nil, _ layers: [CNNLayer], shortcut: [CNNLayer] = [], activation: MapActivation = .linear) {
        self.name = name
        self.layers = layers
        self.shortcut = shortcut
        self.activation = activation
    }
}
