import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The layers over a clip's features, (T, F) -> (classes), in Keras's layers.
///
/// Keras 3's hard_sigmoid is clip(x / 6 + 0.5); that of Keras 1, which configurations mean, is clip(0.2 x + 0.5). So what it is applied to is
/// made 1.2 times as large: the columns of kernels and biases that lead to it.
package struct KerasHead {
    private(set) var graph: KerasGraph
    private let steps: Int
    private static let steeper: Float = 1.2

    /// The masks of clips that may be shorter than T.
    private struct Mask {
        /// (T), (T, 1) and (1, T) of ones and zeros.
        let steps: String
        let column: String
        let row: String
    }
    private var mask: Mask?

    /// Adds the head behind the layer `features` of `graph`.
    ///
    /// - Throws: `.badData` for an option that Keras has no layer for, `.other` if memory runs out.
    package init(_ network: ExportedNetwork, _ graph: KerasGraph, _ features: String) throws {
        self.graph = graph
        steps = network.input.frames
        if network.isMasked { mask = try addMask() }
        var value = features
        for node in network.head.dropLast() { value = try add(node, value) }
        // The logits and their softmax are one layer.
        for case .dense(let kernel, let bias, _) in network.head.suffix(1).map(\.operation) {
            addDense("output", kernel, bias, .softmax, value)
        }
    }

    /// Row n of a table of T + 1 rows has n ones.
    private mutating func addMask() throws -> Mask {
        let length = graph.addInput("length", [], numbers: "int32")
        let table = (0...steps).flatMap { row in (0..<steps).map { Float($0 < row ? 1 : 0) } }
        let mask = graph.add(
            .init(
                name: "mask", type: "Embedding",
                options: [("input_dim", .integer(steps + 1)), ("output_dim", .integer(steps)), ("trainable", false)], inputs: [length],
                shape: [steps], variables: [.init("vars/0", try ModelTensor(constant: table, [steps + 1, steps]).exported(as: "mask"))]))
        func reshaped(_ name: String, _ shape: [Int]) -> KerasGraph.Layer {
            .init(
                name: name, type: "Reshape", options: [("target_shape", .array(shape.map { .integer($0) }))], inputs: [mask], shape: shape)
        }
        return Mask(
            steps: mask, column: graph.add(reshaped("mask_column", [steps, 1])), row: graph.add(reshaped("mask_row", [1, steps])))
    }

    private mutating func add(_ node: HeadNode, _ x: String) throws -> String {
        let name = node.name
        let shape = node.takesSteps ? [steps, node.features] : [node.features]
        switch node.operation {
        case .recurrent(let layer): return try add(layer, x, name)
        case .convolution(let options, let kernel, let bias): return add(options, kernel, bias, masked(x, name), name)
        case .attention(let attention): return add(attention, x, name, shape)
        case .layerNormalization(let normalization): return graph.add(.layerNormalization(normalization, name, name, x, shape))
        case .normalization(let normalization): return graph.add(.normalization(normalization, name, name, x, shape))
        case .meanOverTime:
            return graph.add(
                .init(name: name, type: "GlobalAveragePooling1D", inputs: [x], arguments: maskArgument, shape: [node.features]))
        case .flattenOverTime:
            return graph.add(.init(name: name, type: "Flatten", inputs: [masked(x, name)], shape: [steps * node.features]))
        case .dense(let kernel, let bias, let activation): return addDense(name, kernel, bias, activation, x)
        }
    }

    private var maskArgument: [(String, KerasGraph.Argument)] { mask.map { [("mask", .output($0.steps))] } ?? [] }

    /// Zeros at the steps that do not count.
    private mutating func masked(_ x: String, _ name: String) -> String {
        guard let mask else { return x }
        return graph.add(
            .init(name: "\(name)_masked", type: "Multiply", inputs: [x, mask.column], takesList: true, shape: graph.shape(x)))
    }

    @discardableResult
    private mutating func addDense(
        _ name: String, _ kernel: ModelTensor, _ bias: ModelTensor, _ activation: ActivationName, _ x: String
    ) -> String {
        let factors = [KerasHead.factor(activation)]
        return graph.add(
            .init(
                name: name, type: "Dense",
                options: [("units", .integer(kernel.shape[1])), ("activation", .string(activation.rawValue))], inputs: [x],
                shape: [kernel.shape[1]],
                variables: [
                    .init("vars/0", kernel.exported(as: "\(name)/kernel", scaled: factors)),
                    .init("vars/1", bias.exported(as: "\(name)/bias", scaled: factors)),
                ]))
    }

    private mutating func add(_ options: Conv1DOptions, _ kernel: ModelTensor, _ bias: ModelTensor?, _ x: String, _ name: String) -> String
    {
        let factors = [KerasHead.factor(options.activation)]
        let biases = bias.map { [KerasGraph.Variable("vars/1", $0.exported(as: "\(name)/bias", scaled: factors))] } ?? []
        return graph.add(
            .init(
                name: name, type: "Conv1D",
                options: [
                    ("filters", .integer(options.filters)), ("kernel_size", [.integer(options.kernelSize)]),
                    ("padding", .string(options.padding.rawValue)), ("dilation_rate", [.integer(options.dilationRate)]),
                    ("activation", .string(options.activation.rawValue)), ("use_bias", .bool(bias != nil)),
                ], inputs: [x], shape: [steps, options.filters],
                variables: [KerasGraph.Variable("vars/0", kernel.exported(as: "\(name)/kernel", scaled: factors))] + biases))
    }

    private mutating func add(_ attention: ExportedAttention, _ x: String, _ name: String, _ shape: [Int]) -> String {
        let parts = [
            ("query", "query_dense", attention.query), ("key", "key_dense", attention.key), ("value", "value_dense", attention.value),
            ("attention_output", "output_dense", attention.result),
        ]
        let masks: [(String, KerasGraph.Argument)] = mask.map { [("attention_mask", .output($0.row))] } ?? []
        let output = graph.add(
            .init(
                name: name, type: "MultiHeadAttention",
                options: [("num_heads", .integer(attention.heads)), ("key_dim", .integer(attention.keyDimension))], inputs: [x, x],
                arguments: masks + [("use_causal_mask", .constant(.bool(attention.isCausal)))], shape: shape,
                variables: parts.flatMap { part, layer, projection in
                    [
                        KerasGraph.Variable("\(layer)/vars/0", projection.kernel.exported(as: "\(name)/\(part)/kernel")),
                        KerasGraph.Variable("\(layer)/vars/1", projection.bias.exported(as: "\(name)/\(part)/bias")),
                    ]
                }))
        let sum = graph.add(.init(name: "\(name)_sum", type: "Add", inputs: [x, output], takesList: true, shape: shape))
        let prefix = "\(name)/layer_normalization"
        return graph.add(.layerNormalization(attention.normalization, "\(name)_layer_normalization", prefix, sum, shape))
    }

    private mutating func add(_ layer: ExportedRecurrence, _ x: String, _ name: String) throws -> String {
        let (options, count) = (layer.options, layer.directions.count)
        if layer.cell == .lstm, options.activation == .hardSigmoid {
            throw VidclassError(
                .badData,
                "\(name): Keras 3 has no LSTM with \"activation\": \"hard_sigmoid\" of Keras 1 (clip(0.2 x + 0.5)); onnx and torch have it")
        }
        let type = layer.cell == .lstm ? "LSTM" : "GRU"
        let own: [(String, JSONNode)] = [
            ("units", .integer(options.units)), ("activation", .string(options.activation.rawValue)),
            ("recurrent_activation", .string(options.recurrentActivation.rawValue)), ("return_sequences", .bool(layer.returnsSteps)),
        ]
        let (gate, cell) = (KerasHead.factor(options.recurrentActivation), KerasHead.factor(options.activation))
        let factors = layer.cell == .lstm ? [gate, gate, cell, gate] : [gate, gate, cell]
        let places = count == 2 ? [("forward_layer/", "/forward"), ("backward_layer/", "/backward")] : [("", "")]
        let variables = zip(places, layer.directions).flatMap { place, direction in
            [("kernel", direction.kernel), ("recurrent_kernel", direction.recurrentKernel), ("bias", direction.bias)].enumerated().map {
                KerasGraph.Variable("\(place.0)cell/vars/\($0)", $1.1.exported(as: "\(name)\(place.1)/\($1.0)", scaled: factors))
            }
        }
        let wide = count * options.units
        return graph.add(
            .init(
                name: name, type: count == 2 ? "Bidirectional" : type,
                options: count == 2 ? [("layer", KerasGraph.layer(type, "\(name)_layer", own)), ("merge_mode", "concat")] : own,
                inputs: [x], arguments: maskArgument, shape: layer.returnsSteps ? [steps, wide] : [wide], variables: variables))
    }

    /// By how much the input of an activation is scaled.
    private static func factor(_ activation: ActivationName) -> Float { activation == .hardSigmoid ? steeper : 1 }
}

extension ModelTensor {
    /// The tensor with the blocks of its last axis scaled.
    fileprivate func exported(as name: String, scaled factors: [Float]) -> ExportedTensor {
        let last = shape.count - 1
        return ExportedTensor(name: name, self, axes: (0..<last).map(axis) + [axis(last).scaled(factors)])
    }
}

extension KerasGraph.Layer {
    /// Parameters below `prefix`.
    package static func layerNormalization(
        _ normalization: ExportedLayerNormalization, _ name: String, _ prefix: String, _ input: String, _ shape: [Int]
    ) -> Self {
        .init(
            name: name, type: "LayerNormalization", options: [("epsilon", .number(normalization.epsilon))], inputs: [input], shape: shape,
            variables: [
                .init("vars/0", normalization.gamma.exported(as: "\(prefix)/gamma")),
                .init("vars/1", normalization.beta.exported(as: "\(prefix)/beta")),
            ])
    }
}
