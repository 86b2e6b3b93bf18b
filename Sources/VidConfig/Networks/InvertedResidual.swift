/// The block of MobileNets and EfficientNets (Sandler et al. 2018, "MobileNetV2: inverted residuals and linear bottlenecks"): a
/// 1x1 convolution to more channels, a depthwise convolution, a 1x1 convolution to few channels without an activation.
struct InvertedResidual {
    /// How the convolutions of one network are made.
    struct Style {
        /// `same` for Keras's networks, `symmetric` for torchvision's.
        let padding: MapPadding
        let momentum: Float
        let epsilon: Float
    }

    /// The names of the block's layers and what follows the name of a convolution for its batch normalisation.
    struct Names {
        let expand: String
        let depthwise: String
        let project: String
        var normalization = "_bn"
        /// The name of the depthwise convolution's batch normalisation; nil: its own name and `normalization`.
        var depthwiseNormalization: String?
        var expandNormalization: String?
        var projectNormalization: String?
        var squeeze = ""
        let sum: String
    }

    let style: Style
    /// Channels of the input.
    let channels: Int
    /// Channels between the 1x1 convolutions; as many as `channels`: the first is left out.
    let expanded: Int
    let filters: Int
    let kernel: MapExtent
    var strides: MapExtent = 1
    let activation: MapActivation
    var squeeze: SqueezeExciteOptions?

    func layers(_ names: Names) -> [CNNLayer] {
        var layers: [CNNLayer] = []
        if expanded != channels {
            layers += style.unit(
                names.expand, names.expandNormalization ?? names.expand + names.normalization, filters: expanded, activation: activation)
        }
        layers += [
            .depthwiseConvolution(.init(names.depthwise, kernel: kernel, strides: strides, padding: style.padding, usesBias: false)),
            style.normalization(names.depthwiseNormalization ?? names.depthwise + names.normalization, activation),
        ]
        if var squeeze {
            squeeze.name = names.squeeze
            layers.append(.squeezeExcite(squeeze))
        }
        layers += style.unit(names.project, names.projectNormalization ?? names.project + names.normalization, filters: filters)
        return strides == 1 && channels == filters ? [.residual(.init(names.sum, layers))] : layers
    }
}

extension InvertedResidual.Style {
    /// A convolution without a bias and its batch normalisation.
    func unit(
        _ name: String, _ normalization: String, filters: Int, kernel: MapExtent = 1, strides: MapExtent = 1,
        activation: MapActivation = .linear
    ) -> [CNNLayer] {
        [
            .convolution(.init(name, filters: filters, kernel: kernel, strides: strides, padding: padding, usesBias: false)),
            self.normalization(normalization, activation),
        ]
    }

    func normalization(_ name: String, _ activation: MapActivation) -> CNNLayer {
        .batchNormalization(.init(name, momentum: momentum, epsilon: epsilon, activation: activation))
    }
}

/// The next multiple of 8 to `value`, but not less than nine tenths of it: the rule by which the networks scale their filters.
func multipleOfEight(_ value: Double) -> Int {
    let rounded = max(8, Int(value + 4) / 8 * 8)
    return Double(rounded) < 0.9 * value ? rounded + 8 : rounded
}
