import VidCheckpoint
import VidConfig
import VidModel
import VidSystem
import VidTensor

/// The operations on the features of a clip: on steps (B, T, F) and vectors (B, F).
extension ONNXGraph {
    /// Which steps count, of clips that may be shorter than T.
    package struct Mask {
        /// (B), 32-bit: the number of steps that count.
        package let length: String
        /// (B, T), boolean.
        package let steps: String
        /// (B, T, 1), ones and zeros.
        package let factors: String
        /// (B, 1), the number of steps that count.
        package let count: String
    }

    /// T.
    package enum Steps {
        case fixed(Int)
        /// A value (1), 64-bit, that differs from call to call.
        case counted(String)
    }

    /// T of a value (B, T, ...).
    package mutating func addSteps(of value: String) -> Steps {
        .counted(add("Shape", [value], "step_number", [("start", .integer(1)), ("end", .integer(2))]))
    }

    /// (B, T, F), of rows (B x T, F); `whole` is (B, T, ...).
    package mutating func addClips(_ rows: String, like whole: String, _ steps: Steps, features: Int, _ name: String) -> String {
        let extents: String
        switch steps {
        case .fixed(let count): extents = add(integers: [-1, count, features], "\(name)_extents")
        case .counted:
            let batch = add("Shape", [whole], "\(name)_batch", [("start", .integer(0)), ("end", .integer(1))])
            extents = add(
                "Concat", [batch, add(integers: [-1, features], "\(name)_last_extents")], "\(name)_extents", [("axis", .integer(0))])
        }
        return add("Reshape", [rows, extents], name)
    }

    /// 0, 1 ... T - 1, as (T), 64-bit.
    private mutating func stepIndices(_ steps: Steps, _ name: String) -> String {
        switch steps {
        case .fixed(let count): return add(integers: Array(0..<count), name)
        case .counted(let count):
            let bounds = [add(integers: [0], shape: [], "\(name)_start"), add("Squeeze", [count], "\(name)_end")]
            return add("Range", bounds + [add(integers: [1], shape: [], "\(name)_step")], name)
        }
    }

    /// T as a number.
    private mutating func stepNumber(_ steps: Steps, _ name: String) -> String {
        switch steps {
        case .fixed(let count): add(number: Float(count), name)
        case .counted(let count): cast(count, .float, name)
        }
    }

    /// The mask of clips whose number of frames is the value `length`, (B), 64-bit.
    package mutating func addMask(_ length: String, _ steps: Steps) -> Mask {
        let last = add(integers: [1], "last_axis")
        let column = add("Unsqueeze", [length, last], "length_column")
        let counts = add("Less", [stepIndices(steps, "steps"), column], "mask")
        let factors = add("Unsqueeze", [cast(counts, .float, "mask_factors"), add(integers: [2], "third_axis")], "mask_column")
        return Mask(length: cast(length, .int32, "length_32"), steps: counts, factors: factors, count: cast(column, .float, "step_count"))
    }

    /// The logits (B, classes) of features (B, T, F).
    package mutating func addHead(_ nodes: [HeadNode], _ features: String, _ steps: Steps, _ mask: Mask?) throws -> String {
        var value = features
        for node in nodes { value = try add(node, value, steps, mask) }
        return value
    }

    private mutating func add(_ node: HeadNode, _ x: String, _ steps: Steps, _ mask: Mask?) throws -> String {
        let name = node.name
        switch node.operation {
        case .recurrent(let layer): return scans ? addScan(layer, x, name, mask) : add(layer, x, name, mask)
        case .convolution(let options, let kernel, let bias): return add(options, kernel, bias, masked(x, name, mask), name)
        case .attention(let attention): return add(attention, x, name, steps, mask)
        case .layerNormalization(let normalization): return add(normalization, x, name, name)
        case .normalization(let normalization):
            guard node.takesSteps else { return add(normalization, x, name, name) }
            // ONNX normalises over the second axis.
            let rows = add("Reshape", [x, add(integers: [-1, node.features], "\(name)_rows")], "\(name)_flat")
            let normalized = add(normalization, rows, name, "\(name)_normalized")
            return addClips(normalized, like: x, steps, features: node.features, name)
        case .meanOverTime:
            let sum = add(
                "ReduceSum", [masked(x, name, mask), add(integers: [1], "\(name)_axis")], "\(name)_sum", [("keepdims", .integer(0))])
            return add("Div", [sum, mask?.count ?? stepNumber(steps, "\(name)_count")], name)
        case .flattenOverTime:
            guard case .fixed = steps else {
                throw VidclassError(
                    .badData,
                    "model.pooling_over_time is flatten, which needs the number of frames of the training; leave out --dynamic-frames")
            }
            return add("Flatten", [masked(x, name, mask)], name)
        case .dense(let kernel, let bias, let activation):
            let tensors = [add(kernel.exported(as: "\(name)/kernel")), add(bias.exported(as: "\(name)/bias"))]
            return add(activation, add("Gemm", [x] + tensors, name), name)
        }
    }

    /// Zeros at the steps that do not count.
    private mutating func masked(_ x: String, _ name: String, _ mask: Mask?) -> String {
        mask.map { add("Mul", [x, $0.factors], "\(name)_masked") } ?? x
    }

    package mutating func add(_ activation: ActivationName, _ x: String, _ name: String) -> String {
        activation.kind.map { add($0, x, "\(name)_\(activation.rawValue)") }
            ?? add("Softmax", [x], "\(name)_softmax", [("axis", .integer(-1))])
    }

    private mutating func add(
        _ options: Conv1DOptions, _ kernel: ModelTensor, _ bias: ModelTensor?, _ x: String, _ name: String
    ) -> String {
        let reach = (options.kernelSize - 1) * options.dilationRate
        let before = options.padding == .causal ? reach : reach / 2
        let weights = [add(kernel.exported(as: "\(name)/kernel", order: [2, 1, 0]))]
        let biases = bias.map { [add($0.exported(as: "\(name)/bias"))] } ?? []
        let convolved = add(
            "Conv", [transposed(x, [0, 2, 1], "\(name)_channels_first")] + weights + biases, "\(name)_convolved",
            [
                ("kernel_shape", .integers([options.kernelSize])), ("pads", .integers([before, reach - before])),
                ("dilations", .integers([options.dilationRate])), ("strides", .integers([1])), ("group", .integer(1)),
            ])
        return add(options.activation, transposed(convolved, [0, 2, 1], name), name)
    }

    private mutating func add(_ attention: ExportedAttention, _ x: String, _ name: String, _ steps: Steps, _ mask: Mask?) -> String {
        let (heads, size) = (attention.heads, attention.keyDimension)
        let split = add(integers: [0, 0, heads, size], "\(name)_heads")
        let query = byHead(attention.query, x, split, [0, 2, 1, 3], "\(name)/query")
        let key = byHead(attention.key, x, split, [0, 2, 3, 1], "\(name)/key")
        let value = byHead(attention.value, x, split, [0, 2, 1, 3], "\(name)/value")
        var scores = add(
            "Mul", [add("MatMul", [query, key], "\(name)/scores"), add(number: 1 / Float(size).squareRoot(), "\(name)/scale")],
            "\(name)/scaled_scores")
        if let seen = addSeen(attention, steps, mask, name) {
            scores = add("Where", [seen, scores, add(number: -1e30, "\(name)/unseen")], "\(name)/seen_scores")
        }
        let weights = add("Softmax", [scores], "\(name)/weights", [("axis", .integer(-1))])
        let mixed = transposed(add("MatMul", [weights, value], "\(name)/mixed"), [0, 2, 1, 3], "\(name)/mixed_by_step")
        let joined = add("Reshape", [mixed, add(integers: [0, 0, heads * size], "\(name)/joined_extents")], "\(name)/joined")
        let kernel = attention.result.kernel.reshaped([heads * size, attention.result.kernel.shape[2]])
        let product = add(
            "MatMul", [joined, add(kernel.exported(as: "\(name)/attention_output/kernel"))], "\(name)/attention_output/product")
        let bias = add(attention.result.bias.exported(as: "\(name)/attention_output/bias"))
        let sum = add("Add", [x, add("Add", [product, bias], "\(name)/attention_output")], "\(name)/sum")
        return add(attention.normalization, sum, "\(name)/layer_normalization", name)
    }

    /// A projection of `x` by head: `order` of the axes (B, T, heads, size), into which `extents` divide a row.
    @inline(never)
    private mutating func byHead(
        _ projection: ExportedAttention.Projection, _ x: String, _ extents: String, _ order: [Int], _ name: String
    ) -> String {
        let width = projection.bias.count
        let kernel = projection.kernel.reshaped([projection.kernel.shape[0], width])
        let product = add("MatMul", [x, add(kernel.exported(as: "\(name)/kernel"))], "\(name)/product")
        let bias = add(projection.bias.reshaped([width]).exported(as: "\(name)/bias"))
        let rows = add("Reshape", [add("Add", [product, bias], name), extents], "\(name)/heads")
        return transposed(rows, order, "\(name)/by_head")
    }

    /// Which steps a step sees, boolean, to be spread over (B, heads, T, T); nil: all of them.
    @inline(never)
    private mutating func addSeen(_ attention: ExportedAttention, _ steps: Steps, _ mask: Mask?, _ name: String) -> String? {
        let counting = mask.map { add("Unsqueeze", [$0.steps, add(integers: [1, 2], "\(name)/axes")], "\(name)/steps_that_count") }
        guard attention.isCausal else { return counting }
        let indices = stepIndices(steps, "\(name)/step_indices")
        let keys = add("Unsqueeze", [indices, add(integers: [0, 1, 2], "\(name)/key_axes")], "\(name)/key_steps")
        let queries = add("Unsqueeze", [indices, add(integers: [0, 1, 3], "\(name)/query_axes")], "\(name)/query_steps")
        let before = add("LessOrEqual", [keys, queries], "\(name)/steps_before")
        return counting.map { add("And", [$0, before], "\(name)/seen") } ?? before
    }

    /// `x` normalised over its last axis, with parameters below `prefix`.
    private mutating func add(_ normalization: ExportedLayerNormalization, _ x: String, _ prefix: String, _ name: String) -> String {
        let parameters = [
            add(normalization.gamma.exported(as: "\(prefix)/gamma")), add(normalization.beta.exported(as: "\(prefix)/beta")),
        ]
        return add("LayerNormalization", [x] + parameters, name, [("axis", .integer(-1)), ("epsilon", .float(normalization.epsilon))])
    }

    @inline(never)
    package mutating func transposed(_ x: String, _ order: [Int], _ name: String) -> String {
        add("Transpose", [x], name, [("perm", .integers(order))])
    }

    private mutating func cast(_ x: String, _ type: ONNXTensorProto.DataType, _ name: String) -> String {
        add("Cast", [x], name, [("to", .integer(type.rawValue))])
    }
}
