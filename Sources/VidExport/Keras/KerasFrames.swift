import VidModel
import VidSystem
import VidTensor

/// The network over each frame, (H, W, C) -> (F), in Keras's layers.
package struct KerasFrames {
    package private(set) var graph = KerasGraph("encoder")

    /// - Throws: `.badData` for an option that Keras has no layer for.
    package init(_ network: ExportedNetwork) throws {
        var value = graph.addInput("frame", network.frameShape.dimensions)
        if let rule = network.preprocessing { value = try addPreprocessing(rule, value) }
        let frame = value
        var values: [String] = []
        for node in network.frames {
            values.append(try add(node, node.inputs.map { $0 < 0 ? frame : values[$0] }))
        }
    }

    /// The order of the channels by a 1x1 convolution, then scale and offset.
    private mutating func addPreprocessing(_ rule: Preprocessing, _ pixels: String) throws -> String {
        var (value, count) = (pixels, rule.channels)
        if rule.order != Array(0..<Int32(count)) {
            var kernel = [Float](repeating: 0, count: count * count)
            for (channel, source) in rule.order.enumerated() { kernel[Int(source) * count + channel] = 1 }
            value = graph.add(
                .init(
                    name: "channel_order", type: "Conv2D",
                    options: [("filters", .integer(count)), ("kernel_size", [1, 1]), ("use_bias", false), ("trainable", false)],
                    inputs: [value], shape: graph.shape(value),
                    variables: [.init("vars/0", try ModelTensor(constant: kernel, [1, 1, count, count]).exported(as: "channel_order"))]))
        }
        return graph.add(
            .init(
                name: "preprocessing", type: "Rescaling",
                options: [
                    ("scale", .array(rule.scale.map { .number($0) })), ("offset", .array(rule.offset.map { .number($0) })),
                ], inputs: [value], shape: graph.shape(value)))
    }

    private mutating func add(_ node: FrameNode, _ inputs: [String]) throws -> String {
        let (name, shape) = (node.name, node.shape.dimensions)
        func layer(_ type: String, _ options: [(String, JSONNode)] = [], takesList: Bool = false) -> KerasGraph.Layer {
            .init(name: name, type: type, options: options, inputs: inputs, takesList: takesList, shape: shape)
        }
        switch node.operation {
        case .convolution(let kernel, let bias, let window, let groups):
            return addConvolution(node, inputs[0], kernel, bias, window, groups)
        case .normalization(let normalization): return graph.add(.normalization(normalization, name, "cnn/\(name)", inputs[0], shape))
        case .activation(let kind):
            guard let word = kind.kerasName else {
                throw VidclassError(.badData, "\(name): Keras 3 has no layer for the activation \(kind) of Keras 1")
            }
            return graph.add(layer("Activation", [("activation", .string(word))]))
        case .maximum(let window): return graph.add(try maximum(node, inputs[0], window))
        case .average(let window, let countsPadding): return addAverage(node, inputs[0], window, countsPadding: countsPadding)
        case .zeroPadding(let rows, let columns):
            return graph.add(
                layer("ZeroPadding2D", [("padding", [[.integer(rows), .integer(rows)], [.integer(columns), .integer(columns)]])]))
        case .globalAverage(let keepsDimensions): return graph.add(layer("GlobalAveragePooling2D", [("keepdims", .bool(keepsDimensions))]))
        case .globalMaximum: return graph.add(layer("GlobalMaxPooling2D"))
        case .flatten: return graph.add(layer("Flatten"))
        case .add: return graph.add(layer("Add", takesList: true))
        case .multiply: return graph.add(layer("Multiply", takesList: true))
        case .standardization: preconditionFailure("\(name): frames of pixels are not standardized")
        }
    }

    private mutating func addConvolution(
        _ node: FrameNode, _ input: String, _ kernel: ModelTensor, _ bias: ModelTensor?, _ window: MapWindow, _ groups: Int
    ) -> String {
        let (value, padding) = addPadding(node, input, window)
        // One filter a channel.
        let isDepthwise = groups > 1 && kernel.shape[2] == 1 && kernel.shape[3] == groups
        var options: [(String, JSONNode)] = [
            ("kernel_size", [.integer(window.size.rows), .integer(window.size.columns)]),
            ("strides", [.integer(window.strides.rows), .integer(window.strides.columns)]), ("padding", .string(padding)),
            ("use_bias", .bool(bias != nil)),
        ]
        if !isDepthwise { options += [("filters", .integer(kernel.shape[3])), ("groups", .integer(groups))] }
        let exported = kernel.exported(as: "cnn/\(node.name)/kernel", order: isDepthwise ? [0, 1, 3, 2] : nil)
        let biases = bias.map { [KerasGraph.Variable("vars/1", $0.exported(as: "cnn/\(node.name)/bias"))] } ?? []
        return graph.add(
            .init(
                name: node.name, type: isDepthwise ? "DepthwiseConv2D" : "Conv2D", options: options, inputs: [value],
                shape: node.shape.dimensions, variables: [KerasGraph.Variable("vars/0", exported)] + biases))
    }

    /// The padding's word, with a layer of zeros before it where Keras's words do not say it.
    private mutating func addPadding(_ node: FrameNode, _ input: String, _ window: MapWindow) -> (value: String, padding: String) {
        if !window.isPadded { return (input, "valid") }
        if window.isSame(node.inputShape) { return (input, "same") }
        return (addZeros(node, input, window), "valid")
    }

    private mutating func addZeros(_ node: FrameNode, _ input: String, _ window: MapWindow) -> String {
        let shape = graph.shape(input)
        return graph.add(
            .init(
                name: "\(node.name)_padding", type: "ZeroPadding2D",
                options: [
                    ("padding", [[.integer(window.top), .integer(window.bottom)], [.integer(window.left), .integer(window.right)]])
                ], inputs: [input], shape: [shape[0] + window.top + window.bottom, shape[1] + window.left + window.right, shape[2]]))
    }

    /// The padding of Keras's `same` does not count, but on PyTorch Keras 3.15 counts one that differs from side to side. So that is written
    /// as zeros that count, and a factor for each place.
    private mutating func addAverage(_ node: FrameNode, _ input: String, _ window: MapWindow, countsPadding: Bool) -> String {
        let shape = node.shape.dimensions
        func layer(_ name: String, _ padding: String, _ input: String) -> KerasGraph.Layer {
            .init(
                name: name, type: "AveragePooling2D", options: KerasFrames.pooling(window.size, window.strides, padding), inputs: [input],
                shape: shape)
        }
        if !window.isPadded { return graph.add(layer(node.name, "valid", input)) }
        let isEven = window.top == window.bottom && window.left == window.right
        if !countsPadding, isEven { return graph.add(layer(node.name, "same", input)) }
        let zeros = addZeros(node, input, window)
        if countsPadding { return graph.add(layer(node.name, "valid", zeros)) }
        func factors(_ extent: Int, _ count: Int, _ size: Int, _ stride: Int, before: Int) -> [Float] {
            (0..<count).map { index in
                let start = index * stride - before
                return Float(size) / Float(min(start + size, extent) - max(start, 0))
            }
        }
        let rows = factors(node.inputShape[0], shape[0], window.size.rows, window.strides.rows, before: window.top)
        let columns = factors(node.inputShape[1], shape[1], window.size.columns, window.strides.columns, before: window.left)
        let scale = rows.map { row in JSONNode.array(columns.map { [.number(row * $0)] }) }
        let means = graph.add(layer("\(node.name)_of_zeros", "valid", zeros))
        return graph.add(
            .init(name: node.name, type: "Rescaling", options: [("scale", .array(scale)), ("offset", 0)], inputs: [means], shape: shape))
    }

    /// Keras pads a maximum as `same` alone. Places on both sides of an odd window are those of `same` with strides of 1; of its output
    /// every so many are taken.
    private mutating func maximum(_ node: FrameNode, _ input: String, _ window: MapWindow) throws -> KerasGraph.Layer {
        let (rows, columns) = window.size
        func layer(_ name: String, _ size: (Int, Int), _ strides: (Int, Int), _ padding: String, _ input: String, _ shape: [Int])
            -> KerasGraph.Layer
        {
            .init(name: name, type: "MaxPooling2D", options: KerasFrames.pooling(size, strides, padding), inputs: [input], shape: shape)
        }
        let shape = node.shape.dimensions
        if !window.isPadded { return layer(node.name, window.size, window.strides, "valid", input, shape) }
        if window.isSame(node.inputShape) { return layer(node.name, window.size, window.strides, "same", input, shape) }
        let isCentred =
            rows % 2 == 1 && columns % 2 == 1 && window.top == rows / 2 && window.bottom == window.top && window.left == columns / 2
            && window.right == window.left
        guard isCentred else {
            throw VidclassError(
                .badData,
                "the layer \(node.name): Keras has no max_pooling2d with padding symmetric and a pool of \(rows)x\(columns); a pool of odd "
                    + "extents has a counterpart, and so have onnx and torch")
        }
        let all = graph.add(layer("\(node.name)_all", window.size, (1, 1), "same", input, graph.shape(input)))
        return layer(node.name, (1, 1), window.strides, "valid", all, shape)
    }

    private static func pooling(_ size: (Int, Int), _ strides: (Int, Int), _ padding: String) -> [(String, JSONNode)] {
        [
            ("pool_size", [.integer(size.0), .integer(size.1)]), ("strides", [.integer(strides.0), .integer(strides.1)]),
            ("padding", .string(padding)),
        ]
    }
}

extension MapWindow {
    /// Whether its padding is Keras's `same` for maps (H, W, ...).
    package func isSame(_ input: Shape) -> Bool {
        let same = MapWindow(size, strides: strides, .same, input: input)
        return (top, bottom, left, right) == (same.top, same.bottom, same.left, same.right)
    }
}

extension ActivationKind {
    /// Keras 3's word; nil for the hard sigmoid of Keras 1, which it does not have.
    package var kerasName: String? {
        switch self {
        case .linear: "linear"
        case .relu: "relu"
        case .tanh: "tanh"
        case .sigmoid: "sigmoid"
        case .hardSigmoid: nil
        case .relu6: "relu6"
        case .silu: "silu"
        case .hardSwish: "hard_silu"
        case .hardSigmoidSixth: "hard_sigmoid"
        }
    }
}

extension KerasGraph.Layer {
    /// Parameters below `prefix`.
    package static func normalization(
        _ normalization: ExportedNormalization, _ name: String, _ prefix: String, _ input: String, _ shape: [Int]
    )
        -> Self
    {
        let parameters = [
            ("gamma", normalization.gamma), ("beta", normalization.beta), ("moving_mean", normalization.mean),
            ("moving_variance", normalization.variance),
        ]
        return .init(
            name: name, type: "BatchNormalization", options: [("epsilon", .number(normalization.epsilon))], inputs: [input], shape: shape,
            variables: parameters.enumerated().map { .init("vars/\($0)", $1.1.exported(as: "\(prefix)/\($1.0)")) })
    }
}
