/// MobileNetV2 (Sandler et al. 2018, table 2) and MobileNetV3 (Howard et al. 2019, "Searching for MobileNetV3", tables 1 and 2)
/// without their classifiers, with Keras's names of the layers.
enum MobileNet {
    /// - Parameter isKeras: Keras's padding and epsilon instead of torchvision's.
    static func v2(isKeras: Bool) -> [CNNLayer] {
        let style: InvertedResidual.Style =
            isKeras ? .init(padding: .same, momentum: 0.999, epsilon: 1e-3) : .init(padding: .symmetric, momentum: 0.9, epsilon: 1e-5)
        // Expansion, filters, blocks, stride of the first.
        let stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
        var layers = style.unit("Conv1", "bn_Conv1", filters: 32, kernel: 3, strides: 2, activation: .relu6)
        var channels = 32
        var number = 0
        for (expansion, filters, count, stride) in stages {
            for index in 0..<count {
                let name = number == 0 ? "expanded_conv" : "block_\(number)"
                layers += InvertedResidual(
                    style: style, channels: channels, expanded: expansion * channels, filters: filters, kernel: 3,
                    strides: MapExtent(index == 0 ? stride : 1), activation: .relu6
                ).layers(
                    .init(
                        expand: "\(name)_expand", depthwise: "\(name)_depthwise", project: "\(name)_project", normalization: "_BN",
                        sum: "\(name)_add"))
                channels = filters
                number += 1
            }
        }
        return layers + style.unit("Conv_1", "Conv_1_bn", filters: 1280, activation: .relu6)
    }

    /// A block of MobileNetV3: kernel, expanded channels, filters, whether it has a squeeze-and-excitation and hard-swish, stride.
    private typealias Block = (kernel: Int, expanded: Int, filters: Int, squeezes: Bool, swishes: Bool, stride: Int)

    static func v3Small() -> [CNNLayer] {
        v3([
            (3, 16, 16, true, false, 2), (3, 72, 24, false, false, 2), (3, 88, 24, false, false, 1), (5, 96, 40, true, true, 2),
            (5, 240, 40, true, true, 1), (5, 240, 40, true, true, 1), (5, 120, 48, true, true, 1), (5, 144, 48, true, true, 1),
            (5, 288, 96, true, true, 2), (5, 576, 96, true, true, 1), (5, 576, 96, true, true, 1),
        ])
    }

    static func v3Large() -> [CNNLayer] {
        v3([
            (3, 16, 16, false, false, 1), (3, 64, 24, false, false, 2), (3, 72, 24, false, false, 1), (5, 72, 40, true, false, 2),
            (5, 120, 40, true, false, 1), (5, 120, 40, true, false, 1), (3, 240, 80, false, true, 2), (3, 200, 80, false, true, 1),
            (3, 184, 80, false, true, 1), (3, 184, 80, false, true, 1), (3, 480, 112, true, true, 1), (3, 672, 112, true, true, 1),
            (5, 672, 160, true, true, 2), (5, 960, 160, true, true, 1), (5, 960, 160, true, true, 1),
        ])
    }

    private static func v3(_ blocks: [Block]) -> [CNNLayer] {
        let style = InvertedResidual.Style(padding: .symmetric, momentum: 0.99, epsilon: 1e-3)
        var layers = style.unit("conv", "conv_bn", filters: 16, kernel: 3, strides: 2, activation: .hardSwish)
        var channels = 16
        for (index, block) in blocks.enumerated() {
            let name = index == 0 ? "expanded_conv" : "expanded_conv_\(index)"
            layers += InvertedResidual(
                style: style, channels: channels, expanded: block.expanded, filters: block.filters, kernel: MapExtent(block.kernel),
                strides: MapExtent(block.stride), activation: block.swishes ? .hardSwish : .relu,
                squeeze: block.squeezes ? .init(filters: multipleOfEight(Double(block.expanded) / 4), gate: .hardSigmoid) : nil
            ).layers(
                .init(
                    expand: "\(name)_expand", depthwise: "\(name)_depthwise", project: "\(name)_project",
                    squeeze: "\(name)_squeeze_excite", sum: "\(name)_add"))
            channels = block.filters
        }
        return layers + style.unit("conv_1", "conv_1_bn", filters: 6 * channels, activation: .hardSwish)
    }
}
