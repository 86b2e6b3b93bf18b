import VidCheckpoint
import VidConfig
import VidModel
import VidTensor

/// LSTM and GRU step by step, as Scan over their formulas (vc_recurrent.h), for runtimes whose own recurrent layers lack activations or
/// masks. Parameters have the layout of the checkpoint.
extension ONNXGraph {
    /// (B, T, directions x U), or (B, directions x U), of steps `x` (B, T, F).
    package mutating func addScan(_ layer: ExportedRecurrence, _ x: String, _ name: String, _ mask: Mask?) -> String {
        let units = layer.options.units
        let batch = add("Shape", [x], "\(name)_batch", [("start", .integer(0)), ("end", .integer(1))])
        let extents = add("Concat", [batch, add(integers: [units], "\(name)_units")], "\(name)_state_extents", [("axis", .integer(0))])
        let zeros = add("ConstantOfShape", [extents], "\(name)_zeros")
        let seen = mask.map { mask in
            add(
                "Unsqueeze", [transposed(mask.steps, [1, 0], "\(name)_mask"), add(integers: [2], "\(name)_mask_axis")],
                "\(name)_mask_by_step")
        }
        let states = layer.directions.enumerated().map { index, direction in
            let part = layer.directions.count == 1 ? name : "\(name)/\(index == 0 ? "forward" : "backward")"
            return add(layer, direction, x, part, zeros, seen, isReversed: index == 1)
        }
        if states.count == 1 { return add("Identity", [states[0]], name) }
        return add("Concat", states, name, [("axis", .integer(-1))])
    }

    /// The hidden states of one direction, (B, T, U), or the last (B, U).
    private mutating func add(
        _ layer: ExportedRecurrence, _ direction: ExportedRecurrence.Direction, _ x: String, _ name: String, _ zeros: String,
        _ seen: String?,
        isReversed: Bool
    ) -> String {
        let units = layer.options.units
        let (kernel, recurrent) = (
            add(direction.kernel.exported(as: "\(name)/kernel")), add(direction.recurrentKernel.exported(as: "\(name)/recurrent_kernel"))
        )
        let wide = direction.kernel.shape[1]
        let both = direction.bias.reshaped([direction.bias.count])
        func bias(_ part: String, from start: Int) -> ExportedTensor {
            ExportedTensor(name: "\(name)/\(part)", both, axes: [.init(steps: (start..<start + wide).map { $0 })])
        }
        let inputs = add("Add", [add("MatMul", [x, kernel], "\(name)/product"), add(bias("bias", from: 0))], "\(name)/inputs")
        let recurrentBias = layer.cell == .gru ? add(bias("recurrent_bias", from: wide)) : nil
        let sizes = add(integers: [Int](repeating: units, count: layer.cell.gates), "\(name)/gate_sizes")

        var body = ONNXGraphProto()
        body.name = "\(name)/step"
        let start = nodes.count
        // The state before the step: of an LSTM its output and its cell.
        let old = (0..<(layer.cell == .lstm ? 2 : 1)).map {
            bodyInput("\(name)/state_\($0)", .float, [.named("batch"), .fixed(units)], &body)
        }
        let gates = bodyInput("\(name)/gates", .float, [.named("batch"), .fixed(wide)], &body)
        let counts = seen.map { _ in bodyInput("\(name)/counts", .bool, [.named("batch"), .fixed(1)], &body) }
        let product = add("MatMul", [old[0], recurrent], "\(name)/recurrent_product")
        let recurrentGates = recurrentBias.map { add("Add", [product, $0], "\(name)/recurrent_gates") } ?? product
        var new =
            layer.cell == .lstm
            ? addLSTM(layer.options, gates, recurrentGates, old, sizes, name)
            : [addGRU(layer.options, gates, recurrentGates, old[0], sizes, name)]
        // Steps that do not count leave the state as it is.
        if let counts { new = zip(new, old).map { add("Where", [counts, $0, $1], "\(name)/kept") } }
        new = (new + [new[0]]).map { add("Identity", [$0], "\(name)/out") }
        body.output = new.map { ONNXGraph.value($0, .float, [.named("batch"), .fixed(units)]) }
        body.node = cut(from: start)

        let scanned = [transposed(inputs, [1, 0, 2], "\(name)/time_first")] + (seen.map { [$0] } ?? [])
        let way = isReversed ? 1 : 0
        let last = add(
            "Scan", old.map { _ in zeros } + scanned, "\(name)/last_state",
            [
                ("body", .graph(body)), ("num_scan_inputs", .integer(scanned.count)),
                ("scan_input_directions", .integers(scanned.map { _ in way })), ("scan_output_directions", .integers([way])),
            ]
        ) { name in [name] + old.dropFirst().map { _ in "\(name)_cell" } + ["\(name)s"] }
        return layer.returnsSteps ? transposed("\(last)s", [1, 0, 2], "\(name)/states") : last
    }

    /// The output and the cell behind a step.
    private mutating func addLSTM(
        _ options: RecurrentOptions, _ gates: String, _ recurrent: String, _ old: [String], _ sizes: String, _ name: String
    ) -> [String] {
        let parts = split(add("Add", [gates, recurrent], "\(name)/sums"), sizes, 4, name)
        let input = add(options.recurrentActivation, parts[0], "\(name)/input_gate")
        let forget = add(options.recurrentActivation, parts[1], "\(name)/forget_gate")
        let candidate = add(options.activation, parts[2], "\(name)/candidate")
        let output = add(options.recurrentActivation, parts[3], "\(name)/output_gate")
        let cell = add(
            "Add", [add("Mul", [forget, old[1]], "\(name)/kept_cell"), add("Mul", [input, candidate], "\(name)/new_cell")], "\(name)/cell")
        return [add("Mul", [output, add(options.activation, cell, "\(name)/activated_cell")], "\(name)/output"), cell]
    }

    /// The output behind a step.
    private mutating func addGRU(
        _ options: RecurrentOptions, _ gates: String, _ recurrent: String, _ old: String, _ sizes: String, _ name: String
    ) -> String {
        let (x, y) = (split(gates, sizes, 3, name), split(recurrent, sizes, 3, "\(name)/recurrent"))
        let update = add(options.recurrentActivation, add("Add", [x[0], y[0]], "\(name)/update_sum"), "\(name)/update_gate")
        let reset = add(options.recurrentActivation, add("Add", [x[1], y[1]], "\(name)/reset_sum"), "\(name)/reset_gate")
        let sum = add("Add", [x[2], add("Mul", [reset, y[2]], "\(name)/reset_product")], "\(name)/candidate_sum")
        let candidate = add(options.activation, sum, "\(name)/candidate")
        let rest = add("Sub", [add(number: 1, "\(name)/one"), update], "\(name)/rest")
        return add("Add", [add("Mul", [update, old], "\(name)/kept"), add("Mul", [rest, candidate], "\(name)/new")], "\(name)/output")
    }

    private mutating func split(_ x: String, _ sizes: String, _ count: Int, _ name: String) -> [String] {
        let first = add("Split", [x, sizes], "\(name)/gate", [("axis", .integer(-1))]) { name in (0..<count).map { "\(name)_\($0)" } }
        return (0..<count).map { "\(first)_\($0)" }
    }

    private mutating func bodyInput(_ name: String, _ type: ONNXTensorProto.DataType, _ extents: [Extent], _ body: inout ONNXGraphProto)
        -> String
    {
        let name = unused(name)
        body.input.append(ONNXGraph.value(name, type, extents))
        return name
    }
}
