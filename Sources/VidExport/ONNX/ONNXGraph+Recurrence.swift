import VidCheckpoint
import VidConfig
import VidModel
import VidTensor

/// LSTM and GRU. ONNX has the gates of an LSTM in the order i, o, f, c and those of a GRU in the order z, r, h, as they are here.
extension ONNXGraph {
    /// (B, T, directions x U), or (B, directions x U), of steps `x` (B, T, F).
    package mutating func add(_ layer: ExportedRecurrence, _ x: String, _ name: String, _ mask: Mask?) -> String {
        let directions = layer.directions.count
        // Layout 0: time is the first axis.
        let steps = transposed(x, [1, 0, 2], "\(name)_time_first")
        let tensors = ONNXGraph.tensors(layer, name).map { add($0) }
        let (activations, alphas, betas) = ONNXGraph.activations(layer.options, layer.cell)
        var attributes: [(String, Attribute)] = [
            ("hidden_size", .integer(layer.options.units)), ("direction", .text(directions == 2 ? "bidirectional" : "forward")),
            ("layout", .integer(0)), ("activations", .texts(ONNXGraph.repeated(activations, directions))),
        ]
        if !alphas.isEmpty { attributes.append(("activation_alpha", .floats(ONNXGraph.repeated(alphas, directions)))) }
        if !betas.isEmpty { attributes.append(("activation_beta", .floats(ONNXGraph.repeated(betas, directions)))) }
        if layer.cell == .gru { attributes.append(("linear_before_reset", .integer(1))) }
        let inputs = [steps] + tensors + (mask.map { [$0.length] } ?? [])
        let type = layer.cell == .gru ? "GRU" : "LSTM"
        if layer.returnsSteps {
            // (T, directions, B, U).
            let states = add(type, inputs, "\(name)_states", attributes)
            let ordered = transposed(states, [2, 0, 1, 3], "\(name)_batch_first")
            return add("Reshape", [ordered, add(integers: [0, 0, directions * layer.options.units], "\(name)_extents")], name)
        }
        // (directions, B, U).
        let final = add(type, inputs, "\(name)_final_state", attributes) { ["", $0] }
        let ordered = transposed(final, [1, 0, 2], "\(name)_batch_first")
        return add("Reshape", [ordered, add(integers: [0, directions * layer.options.units], "\(name)_extents")], name)
    }

    /// W (directions, gates x U, F), R (directions, gates x U, U) and B (directions, 2 x gates x U), whose second half is the bias of the
    /// recurrent product.
    package static func tensors(_ layer: ExportedRecurrence, _ name: String) -> [ExportedTensor] {
        let first = layer.directions[0]
        let order = layer.cell == .lstm ? [0, 3, 1, 2] : [0, 1, 2]
        func matrix(_ part: String, _ tensor: ModelTensor, _ all: [ModelTensor]) -> ExportedTensor {
            ExportedTensor(name: "\(name)/\(part)", tensor, axes: [.stacked(all), tensor.axis(1).blocks(order), tensor.axis(0)])
        }
        let wide = first.kernel.shape[1]
        let bias =
            switch layer.cell {
            case .lstm: first.bias.axis(0).blocks(order) + .zeros(wide)
            case .gru: first.bias.reshaped([2 * wide]).axis(0)
            }
        return [
            matrix("kernel", first.kernel, layer.directions.map(\.kernel)),
            matrix("recurrent_kernel", first.recurrentKernel, layer.directions.map(\.recurrentKernel)),
            ExportedTensor(name: "\(name)/bias", first.bias, axes: [.stacked(layer.directions.map(\.bias)), bias]),
        ]
    }

    /// The activations of gates, candidate and, of an LSTM, output, with their alphas and betas.
    ///
    /// ONNX Runtime gives the next alpha to each activation that has one; OpenVINO gives each activation the alpha of its place. Both find the
    /// right one if those that have none repeat another's.
    private static func activations(_ options: RecurrentOptions, _ cell: Recurrence.Cell) -> ([String], [Float], [Float]) {
        let names = [options.recurrentActivation, options.activation] + (cell == .lstm ? [options.activation] : [])
        let entries: [(name: String, alphaBeta: (Float, Float)?)] = names.map { name in
            switch name {
            case .linear: ("Affine", (1, 0))
            case .relu: ("Relu", nil)
            case .tanh: ("Tanh", nil)
            case .sigmoid: ("Sigmoid", nil)
            case .hardSigmoid: ("HardSigmoid", (0.2, 0.5))
            case .softmax: preconditionFailure("softmax is no activation of a gate")
            }
        }
        guard let any = entries.compactMap(\.alphaBeta).first else { return (entries.map(\.name), [], []) }
        return (entries.map(\.name), entries.map { ($0.alphaBeta ?? any).0 }, entries.map { ($0.alphaBeta ?? any).1 })
    }

    private static func repeated<Value>(_ values: [Value], _ count: Int) -> [Value] { (0..<count).flatMap { _ in values } }
}
