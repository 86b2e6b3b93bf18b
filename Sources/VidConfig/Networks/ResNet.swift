/// Residual networks (He et al. 2016, "Deep residual learning for image recognition", table 1) without their classifier, with
/// Keras's names of the layers.
struct ResNet {
    /// The kinds of residual blocks.
    enum Block {
        /// Two 3x3 convolutions.
        case basic
        /// 1x1, 3x3 and 1x1 convolutions, the last with four times the filters. torchvision's has the stride in the 3x3 convolution.
        case bottleneck
        /// The bottleneck of the paper and of Keras: the stride is in the first convolution, and convolutions have biases.
        case kerasBottleneck
    }

    /// - Parameter counts: blocks in each of the four stages.
    static func layers(_ block: Block, _ counts: [Int]) -> [CNNLayer] {
        let network = ResNet(block: block)
        var layers = network.unit("conv1", filters: 64, kernel: 7, strides: 2, activation: .relu)
        layers.append(.maxPooling(.init("pool1_pool", pool: 3, strides: 2, padding: .symmetric)))
        var channels = 64
        for (stage, count) in counts.enumerated() {
            let filters = 64 << stage
            for index in 1...count {
                let strides: MapExtent = stage > 0 && index == 1 ? 2 : 1
                let name = "conv\(stage + 2)_block\(index)"
                layers.append(network.residual(name, filters: filters, channels: channels, strides: strides))
                channels = network.outputs(filters)
            }
        }
        return layers
    }

    private let block: Block

    private func outputs(_ filters: Int) -> Int { block == .basic ? filters : 4 * filters }

    private func residual(_ name: String, filters: Int, channels: Int, strides: MapExtent) -> CNNLayer {
        let last = outputs(filters)
        let layers =
            switch block {
            case .basic:
                unit("\(name)_1", filters: filters, kernel: 3, strides: strides, activation: .relu)
                    + unit("\(name)_2", filters: filters, kernel: 3)
            case .bottleneck:
                unit("\(name)_1", filters: filters, kernel: 1, activation: .relu)
                    + unit("\(name)_2", filters: filters, kernel: 3, strides: strides, activation: .relu)
                    + unit("\(name)_3", filters: last, kernel: 1)
            case .kerasBottleneck:
                unit("\(name)_1", filters: filters, kernel: 1, strides: strides, activation: .relu)
                    + unit("\(name)_2", filters: filters, kernel: 3, activation: .relu)
                    + unit("\(name)_3", filters: last, kernel: 1)
            }
        let isProjected = channels != last || strides != 1
        return .residual(
            .init(
                "\(name)_out", layers, shortcut: isProjected ? unit("\(name)_0", filters: last, kernel: 1, strides: strides) : [],
                activation: .relu))
    }

    /// A convolution and its batch normalisation.
    private func unit(
        _ name: String, filters: Int, kernel: MapExtent, strides: MapExtent = 1, activation: MapActivation = .linear
    ) -> [CNNLayer] {
        let isKeras = block == .kerasBottleneck
        return [
            .convolution(
                .init("\(name)_conv", filters: filters, kernel: kernel, strides: strides, padding: .symmetric, usesBias: isKeras)),
            .batchNormalization(
                .init("\(name)_bn", momentum: isKeras ? 0.99 : 0.9, epsilon: isKeras ? 1.001e-5 : 1e-5, activation: activation)),
        ]
    }
}
