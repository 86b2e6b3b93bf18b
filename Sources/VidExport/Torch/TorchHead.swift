import VidConfig
import VidModel
import VidTensor

/// The layers over a clip's features, (B, T, F) -> (B, classes), as a module of PyTorch; with an encoder, over its frames.
package struct TorchHead {
    private(set) var module = TorchModule()
    private(set) var tensors: [ExportedTensor] = []
    private let isMasked: Bool

    package init(_ network: ExportedNetwork, hasEncoder: Bool) {
        isMasked = network.isMasked
        if hasEncoder {
            let encoder = module.add("encoder", "Encoder()")
            module.run("x = self.\(encoder)(x.flatten(0, 1)).unflatten(0, (-1, x.shape[1]))")
        }
        if isMasked { module.run("mask = torch.arange(x.shape[1], device=x.device) < length.unsqueeze(1)") }
        for node in network.head { add(node) }
        module.run("x = F.softmax(x, -1)")
    }

    private var mask: String { isMasked ? ", mask" : "" }

    private mutating func add(_ node: HeadNode) {
        let name = node.name
        switch node.operation {
        case .recurrent(let layer): add(layer, name, node.features)
        case .convolution(let options, let kernel, let bias): add(options, kernel, bias, name)
        case .attention(let attention): add(attention, name, node.features)
        case .layerNormalization(let normalization):
            let part = module.add(name, "nn.LayerNorm(\(node.features), eps=\(normalization.epsilon))")
            tensors += normalization.torch(part)
            module.run("x = self.\(part)(x)")
        case .normalization(let normalization):
            let part = module.add(name, "nn.BatchNorm1d(\(node.features), eps=\(normalization.epsilon))")
            tensors += normalization.torch(part)
            module.run(node.takesSteps ? "x = self.\(part)(x.transpose(1, 2)).transpose(1, 2)" : "x = self.\(part)(x)")
        case .meanOverTime:
            module.run(isMasked ? "x = (x * mask.unsqueeze(2)).sum(1) / length.unsqueeze(1)" : "x = x.mean(1)")
        case .flattenOverTime: module.run("x = \(isMasked ? "(x * mask.unsqueeze(2))" : "x").flatten(1)")
        case .dense(let kernel, let bias, let activation):
            let part = module.add(name, "nn.Linear(\(kernel.shape[0]), \(kernel.shape[1]))")
            tensors += [kernel.exported(as: "\(part).weight", order: [1, 0]), bias.exported(as: "\(part).bias")]
            module.run("x = \(activation.torch("self.\(part)(x)"))")
        }
    }

    private mutating func add(_ options: Conv1DOptions, _ kernel: ModelTensor, _ bias: ModelTensor?, _ name: String) {
        let part = module.add(
            name,
            "nn.Conv1d(\(kernel.shape[1]), \(kernel.shape[2]), \(options.kernelSize), dilation=\(options.dilationRate)\(bias == nil ? ", bias=False" : ""))"
        )
        tensors.append(kernel.exported(as: "\(part).weight", order: [2, 1, 0]))
        if let bias { tensors.append(bias.exported(as: "\(part).bias")) }
        let reach = (options.kernelSize - 1) * options.dilationRate
        let before = options.padding == .causal ? reach : reach / 2
        let steps = isMasked ? "(x * mask.unsqueeze(2))" : "x"
        module.run("x = self.\(part)(F.pad(\(steps).transpose(1, 2), (\(before), \(reach - before)))).transpose(1, 2)")
        if options.activation != .linear { module.run("x = \(options.activation.torch("x"))") }
    }

    private mutating func add(_ attention: ExportedAttention, _ name: String, _ features: Int) {
        let wide = attention.heads * attention.keyDimension
        let part = module.add(
            name,
            "Attention(\(features), \(attention.heads), \(attention.keyDimension), is_causal=\(attention.isCausal ? "True" : "False"))")
        for (key, projection) in [("query", attention.query), ("key", attention.key), ("value", attention.value)] {
            tensors += [
                projection.kernel.reshaped([features, wide]).exported(as: "\(part).\(key).weight", order: [1, 0]),
                projection.bias.reshaped([wide]).exported(as: "\(part).\(key).bias"),
            ]
        }
        tensors += [
            attention.result.kernel.reshaped([wide, features]).exported(as: "\(part).output.weight", order: [1, 0]),
            attention.result.bias.exported(as: "\(part).output.bias"),
        ]
        tensors += attention.normalization.torch("\(part).normalization")
        module.run("x = self.\(part)(x\(mask))")
    }

    private mutating func add(_ layer: ExportedRecurrence, _ name: String, _ features: Int) {
        let options = layer.options
        let part = module.add(
            name,
            "Recurrent(\"\(layer.cell == .lstm ? "lstm" : "gru")\", \(features), \(options.units), \(layer.directions.count), "
                + "lambda x: \(options.activation.torch("x")), lambda x: \(options.recurrentActivation.torch("x")))")
        for (direction, suffix) in zip(layer.directions, ["l0", "l0_reverse"]) { tensors += layer.torch(direction, part, suffix) }
        module.run("\(layer.returnsSteps ? "x, _" : "_, x") = self.\(part)(x\(mask))")
    }
}

extension ExportedRecurrence {
    /// Weights (gates x U, F) and (gates x U, U), biases of both products, the gates in PyTorch's order: i, f, g, o and r, z, n.
    package func torch(_ direction: Direction, _ part: String, _ suffix: String) -> [ExportedTensor] {
        let (wide, order) = (direction.kernel.shape[1], cell == .lstm ? [0, 1, 2, 3] : [1, 0, 2])
        func matrix(_ tensor: ModelTensor, _ name: String) -> ExportedTensor {
            ExportedTensor(name: "\(part).\(name)_\(suffix)", tensor, axes: [tensor.axis(1).blocks(order), tensor.axis(0)])
        }
        func bias(_ name: String, _ axis: ExportedTensor.Axis) -> ExportedTensor {
            ExportedTensor(name: "\(part).\(name)_\(suffix)", direction.bias, axes: [axis])
        }
        let own = direction.bias
        let biases =
            switch cell {
            case .lstm: [bias("bias_ih", own.axis(0)), bias("bias_hh", .zeros(wide))]
            case .gru:
                [
                    bias("bias_ih", own.axis(1).blocks(order)),
                    bias("bias_hh", own.axis(1).shifted(by: wide).blocks(order)),
                ]
            }
        return [matrix(direction.kernel, "weight_ih"), matrix(direction.recurrentKernel, "weight_hh")] + biases
    }
}

extension ExportedLayerNormalization {
    /// Under PyTorch's names.
    fileprivate func torch(_ part: String) -> [ExportedTensor] {
        [gamma.exported(as: "\(part).weight"), beta.exported(as: "\(part).bias")]
    }
}
