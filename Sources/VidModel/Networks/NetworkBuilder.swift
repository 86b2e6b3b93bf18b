import VidConfig
import VidSystem
import VidTensor

/// Makes the graph of a CNN from the configuration's layers and registers their parameters.
struct NetworkBuilder {
    private(set) var nodes: [NetworkGraph.Node] = []
    private(set) var layout: ParameterLayout
    private var shapes: [Shape] = []
    private let input: Shape
    private let prefix: String
    private let algorithm: Convolution.Algorithm?
    private let trainedNames: Set<String>

    /// - Parameters:
    ///   - input: the shape of a frame (rows, columns, channels).
    ///   - prefix: of the parameters' names.
    /// - Throws: `.badData` if `trainable` names a layer that does not exist, or a layer does not fit its input.
    init(
        _ architecture: Architecture, input: Shape, trainable: Trainable, convolution: ConvolutionChoice = .auto, prefix: String = "cnn",
        _ layout: ParameterLayout
    ) throws {
        self.layout = layout
        self.input = input
        self.prefix = prefix
        algorithm =
            switch convolution {
            case .auto: nil
            case .im2col: .im2col
            case .winograd: .winograd
            }
        let names = architecture.trainedNames
        switch trainable {
        case .all: trainedNames = Set(names)
        case .none: trainedNames = []
        case .from(let name):
            guard let index = names.firstIndex(of: name) else {
                throw VidclassError(
                    .badData, "model.cnn.trainable: no layer is named \"\(name)\"; expected one of \(names.joined(separator: ", "))")
            }
            trainedNames = Set(names[index...])
        }
        precondition(input.rank == 3, "expected frames of (rows, columns, channels), received \(input)")
        if let blocks = architecture.blocks, blocks.isEmpty || blocks.contains(where: { $0.isEmpty || $0.contains { $0 <= 0 } }) {
            throw VidclassError(
                .badData, "model.cnn.architecture: expected blocks of one or more positive numbers of filters, found \(blocks)")
        }
        do throws(VidclassError) {
            _ = try architecture.output(MapSize(rows: input[0], columns: input[1], channels: input[2]))
        } catch {
            let hint = architecture.smallestSide.map { "; frames need at least \($0)x\($0)" } ?? ""
            throw VidclassError(.badData, "model.cnn.architecture: for frames of \(input[0])x\(input[1]): \(error.message)\(hint)")
        }
        for layer in architecture.layers { add(layer) }
    }

    // MARK: - Nodes

    /// The node whose output the next layer takes.
    private var last: Int = NetworkGraph.frames

    private func shape(_ node: Int) -> Shape { node < 0 ? input : shapes[node] }

    private var channels: Int { shape(last).last }

    /// Adds a layer behind the last node.
    mutating func add(_ layer: any FrameLayer) {
        shapes.append(layer.outputShape(shape(last)))
        nodes.append(.init(layer, last))
        last = nodes.count - 1
    }

    private mutating func add(_ layer: any MergeLayer, _ first: Int, _ second: Int) {
        shapes.append(layer.outputShape(shape(first), shape(second)))
        nodes.append(.init(layer, first, second))
        last = nodes.count - 1
    }

    private mutating func add(_ layer: CNNLayer) {
        let name = layer.name ?? ""
        switch layer {
        case .convolution(let options): addConvolution(name, options)
        case .separableConvolution(let options):
            let names = CNNLayer.separableNames(name)
            addDepthwise(
                names[0], .init(kernel: options.kernel, strides: options.strides, padding: options.padding, usesBias: false))
            addConvolution(
                names[1],
                .init(filters: options.filters, kernel: 1, usesBias: options.usesBias, activation: options.activation))
        case .depthwiseConvolution(let options): addDepthwise(name, options)
        case .batchNormalization(let options):
            add(
                MapNormalization(
                    name, prefix: prefix, channels: channels, momentum: options.momentum, epsilon: options.epsilon,
                    activation: options.activation.kind, trainable: trainedNames.contains(name), layout: &layout))
        case .activation(let options): addActivation(name, options.activation)
        case .maxPooling(let options):
            let strides = options.strides ?? options.pool
            add(
                MaxPool2D(
                    name, pool: (options.pool.rows, options.pool.columns), stride: (strides.rows, strides.columns),
                    padding: padding(options.padding, options.pool)))
        case .averagePooling(let options):
            let strides = options.strides ?? options.pool
            add(
                AveragePooling2D(
                    name, pool: (options.pool.rows, options.pool.columns), stride: (strides.rows, strides.columns),
                    padding: padding(options.padding, options.pool), countsPadding: options.padding == .symmetric))
        case .zeroPadding(let options): add(ZeroPadding2D(name, rows: options.padding.rows, columns: options.padding.columns))
        case .squeezeExcite(let options): addSqueezeExcite(name, options)
        case .residual(let options):
            let start = last
            for layer in options.shortcut { add(layer) }
            let shortcut = last
            last = start
            for layer in options.layers { add(layer) }
            add(Add(name, relu: options.activation == .relu), last, shortcut)
            if options.activation != .relu { addActivation("\(name)_activation", options.activation) }
        }
    }

    private mutating func addConvolution(_ name: String, _ options: ConvolutionOptions) {
        add(
            Conv2D(
                name, prefix: prefix, channels: channels, filters: options.filters, kernel: (options.kernel.rows, options.kernel.columns),
                stride: (options.strides.rows, options.strides.columns), padding: padding(options.padding, options.kernel),
                groups: options.groups, hasBias: options.usesBias, relu: options.activation == .relu,
                trainable: trainedNames.contains(name), algorithm: algorithm, layout: &layout))
        if options.activation != .relu { addActivation("\(name)_activation", options.activation) }
    }

    private mutating func addDepthwise(_ name: String, _ options: DepthwiseConvolutionOptions) {
        add(
            DepthwiseConv2D(
                name, prefix: prefix, channels: channels, kernel: (options.kernel.rows, options.kernel.columns),
                stride: (options.strides.rows, options.strides.columns), padding: padding(options.padding, options.kernel),
                hasBias: options.usesBias, trainable: trainedNames.contains(name), layout: &layout))
        addActivation("\(name)_activation", options.activation)
    }

    private mutating func addSqueezeExcite(_ name: String, _ options: SqueezeExciteOptions) {
        let maps = last
        let names = CNNLayer.squeezeNames(name)
        add(GlobalAveragePooling2D("\(name)_squeeze", keepsDimensions: true))
        addConvolution(
            names[0], .init(filters: options.filters ?? max(1, channels / 4), kernel: 1, activation: options.activation))
        addConvolution(names[1], .init(filters: shape(maps).last, kernel: 1, activation: options.gate))
        add(Multiply("\(name)_excite"), maps, last)
    }

    private mutating func addActivation(_ name: String, _ activation: MapActivation) {
        if activation != .linear { add(MapActivationLayer(name, activation.kind)) }
    }

    private func padding(_ padding: MapPadding, _ kernel: MapExtent) -> ConvolutionGeometry.Padding {
        switch padding {
        case .same: .same
        case .valid: .valid
        case .symmetric:
            .zeros(top: kernel.rows / 2, bottom: kernel.rows / 2, left: kernel.columns / 2, right: kernel.columns / 2)
        }
    }
}
