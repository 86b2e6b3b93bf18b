/// EfficientNets (Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks", table 1) without
/// their classifiers, and their variants for small devices, with Keras's names of the layers. Stochastic depth is left out.
enum EfficientNet {
    enum Kind {
        /// torchvision's padding and epsilon.
        case torch
        /// TensorFlow's, as of the original and of timm's `tf_efficientnet_b0`.
        case tensorFlow
        /// EfficientNet-Lite (Google 2020): ReLU6, no squeeze-and-excitation, stem and top of fixed size; Keras's padding.
        case lite
        /// The same with PyTorch's padding and epsilon, as timm's own `efficientnet_lite0`, which timm trained itself.
        case torchLite

        var isLite: Bool { self == .lite || self == .torchLite }
        var isTorchs: Bool { self == .torch || self == .torchLite }
    }

    /// The layers of the network whose filters are scaled by `width` and whose blocks are repeated `depth` times as often as B0's.
    static func layers(_ kind: Kind, width: Double, depth: Double) -> [CNNLayer] {
        let style: InvertedResidual.Style =
            kind.isTorchs ? .init(padding: .symmetric, momentum: 0.9, epsilon: 1e-5) : .init(padding: .same, momentum: 0.99, epsilon: 1e-3)
        let activation: MapActivation = kind.isLite ? .relu6 : .silu
        // Expansion, kernel, stride of the first, filters, blocks.
        let stages = [
            (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
        ]
        func scaled(_ filters: Int) -> Int { multipleOfEight(width * Double(filters)) }
        var channels = kind.isLite ? 32 : scaled(32)
        var layers = style.unit("stem_conv", "stem_bn", filters: channels, kernel: 3, strides: 2, activation: activation)
        for (stage, (expansion, kernel, stride, filters, blocks)) in stages.enumerated() {
            let isFixed = kind.isLite && (stage == 0 || stage == stages.count - 1)
            let count = isFixed ? blocks : Int((depth * Double(blocks)).rounded(.up))
            for index in 0..<count {
                let name = "block\(stage + 1)\(letter(index))"
                layers += InvertedResidual(
                    style: style, channels: channels, expanded: expansion * channels, filters: scaled(filters),
                    kernel: MapExtent(kernel), strides: MapExtent(index == 0 ? stride : 1), activation: activation,
                    squeeze: kind.isLite ? nil : .init(filters: max(1, channels / 4), activation: .silu)
                ).layers(
                    .init(
                        expand: "\(name)_expand_conv", depthwise: "\(name)_dwconv", project: "\(name)_project_conv",
                        depthwiseNormalization: "\(name)_bn", expandNormalization: "\(name)_expand_bn",
                        projectNormalization: "\(name)_project_bn", squeeze: "\(name)_se", sum: "\(name)_add"))
                channels = scaled(filters)
            }
        }
        return layers + style.unit("top_conv", "top_bn", filters: kind.isLite ? 1280 : scaled(1280), activation: activation)
    }

    /// `a`, `b`, ...
    private static func letter(_ index: Int) -> Character { Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(index))) }
}
