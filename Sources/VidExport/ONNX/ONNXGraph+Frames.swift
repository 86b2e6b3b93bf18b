import VidCheckpoint
import VidModel
import VidTensor

/// The operations on each frame: on maps (N, C, H, W) and vectors (N, F).
extension ONNXGraph {
    /// Pixels (N, C, H, W) of 0 ... 255 as the network's input.
    package mutating func addPreprocessing(_ rule: Preprocessing, _ pixels: String) throws -> String {
        var value = pixels
        if rule.order != Array(0..<Int32(rule.channels)) {
            let order = add(integers: rule.order.map(Int.init), "channel_order")
            value = add("Gather", [value, order], "reordered_channels", [("axis", .integer(1))])
        }
        func perChannel(_ values: [Float], _ name: String) throws -> ExportedTensor {
            try ModelTensor(constant: values, [1, values.count, 1, 1]).exported(as: name)
        }
        if rule.scale.contains(where: { $0 != 1 }) {
            value = add("Mul", [value, add(try perChannel(rule.scale, "preprocessing/scale"))], "scaled_pixels")
        }
        if rule.offset.contains(where: { $0 != 0 }) {
            value = add("Add", [value, add(try perChannel(rule.offset, "preprocessing/offset"))], "preprocessed_pixels")
        }
        return value
    }

    /// The features (N, F) of frames (N, C, H, W) or vectors (N, F).
    package mutating func addFrames(_ nodes: [FrameNode], _ frames: String) -> String {
        var values: [String] = []
        for node in nodes { values.append(add(node, node.inputs.map { $0 < 0 ? frames : values[$0] })) }
        return values.last ?? frames
    }

    private mutating func add(_ node: FrameNode, _ inputs: [String]) -> String {
        let name = node.name
        switch node.operation {
        case .convolution(let kernel, let bias, let window, let groups):
            let weights = [add(kernel.exported(as: "cnn/\(name)/kernel", order: [3, 2, 0, 1]))]
            let biases = bias.map { [add($0.exported(as: "cnn/\(name)/bias"))] } ?? []
            return add(
                "Conv", inputs + weights + biases, name,
                ONNXGraph.attributes(window) + [("group", .integer(groups)), ("dilations", .integers([1, 1]))])
        case .normalization(let normalization): return add(normalization, inputs[0], "cnn/\(name)", name)
        case .activation(let kind): return add(kind, inputs[0], name)
        case .maximum(let window): return add("MaxPool", inputs, name, ONNXGraph.attributes(window))
        case .average(let window, let countsPadding):
            return add("AveragePool", inputs, name, ONNXGraph.attributes(window) + [("count_include_pad", .integer(countsPadding ? 1 : 0))])
        case .zeroPadding(let rows, let columns):
            return add("Pad", inputs + [add(integers: [0, 0, rows, columns, 0, 0, rows, columns], "\(name)_pads")], name)
        case .globalAverage(let keepsDimensions):
            let mean = add("GlobalAveragePool", inputs, name)
            return keepsDimensions ? mean : add("Flatten", [mean], "\(name)_flat")
        case .globalMaximum: return add("Flatten", [add("GlobalMaxPool", inputs, name)], "\(name)_flat")
        case .flatten:
            return add("Flatten", [add("Transpose", inputs, "\(name)_channels_last", [("perm", .integers([0, 2, 3, 1]))])], name)
        case .add: return add("Add", inputs, name)
        case .multiply: return add("Mul", inputs, name)
        case .standardization(let mean, let deviation):
            let centred = add("Sub", inputs + [add(mean.exported(as: Normalization.meanName))], "centred")
            return add("Div", [centred, add(deviation.exported(as: Normalization.deviationName))], name)
        }
    }

    /// `x`, (N, C) or (N, C, H, W), normalised, with parameters below `prefix`.
    package mutating func add(_ normalization: ExportedNormalization, _ x: String, _ prefix: String, _ name: String) -> String {
        let parameters = [
            ("gamma", normalization.gamma), ("beta", normalization.beta), ("moving_mean", normalization.mean),
            ("moving_variance", normalization.variance),
        ].map { part, tensor in add(tensor.exported(as: "\(prefix)/\(part)")) }
        return add("BatchNormalization", [x] + parameters, name, [("epsilon", .float(normalization.epsilon))])
    }

    package mutating func add(_ activation: ActivationKind, _ x: String, _ name: String) -> String {
        switch activation {
        case .linear: x
        case .relu: add("Relu", [x], name)
        case .tanh: add("Tanh", [x], name)
        case .sigmoid: add("Sigmoid", [x], name)
        case .hardSigmoid: add("HardSigmoid", [x], name, [("alpha", .float(0.2)), ("beta", .float(0.5))])
        case .hardSigmoidSixth: add("HardSigmoid", [x], name, [("alpha", .float(1 / 6)), ("beta", .float(0.5))])
        case .relu6: add("Clip", [x, add(number: 0, "\(name)_least"), add(number: 6, "\(name)_most")], name)
        case .silu: add("Mul", [x, add("Sigmoid", [x], "\(name)_sigmoid")], name)
        case .hardSwish: add("HardSwish", [x], name)
        }
    }

    private static func attributes(_ window: MapWindow) -> [(String, Attribute)] {
        [
            ("kernel_shape", .integers([window.size.rows, window.size.columns])),
            ("strides", .integers([window.strides.rows, window.strides.columns])),
            ("pads", .integers([window.top, window.left, window.bottom, window.right])),
        ]
    }
}
