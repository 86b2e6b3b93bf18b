import VidModel
import VidTensor

/// The network over each frame, (N, C, H, W) -> (N, F), as a module of PyTorch.
package struct TorchFrames {
    private(set) var module = TorchModule()
    private(set) var tensors: [ExportedTensor] = []
    private(set) var result = "x"
    /// The first part of the tensors' names.
    private let prefix: String

    package init(_ network: ExportedNetwork, prefix: String) {
        self.prefix = prefix
        if let rule = network.preprocessing { addPreprocessing(rule) }
        var names = TorchNames(network.frames, first: "x")
        for (index, node) in network.frames.enumerated() {
            let inputs = node.inputs.map { names.name($0) }
            result = names.next(index, node.inputs)
            module.run("\(result) = \(add(node, inputs))")
        }
    }

    private mutating func addPreprocessing(_ rule: Preprocessing) {
        func list(_ values: [Float]) -> String { "[" + values.map(\.description).joined(separator: ", ") + "]" }
        let scale = module.add(constant: "pixel_scale", list(rule.scale) + ", dtype=torch.float32")
        let offset = module.add(constant: "pixel_offset", list(rule.offset) + ", dtype=torch.float32")
        let order = rule.order == Array(0..<Int32(rule.channels)) ? "" : "[:, \(rule.order)]"
        module.run("x = x.float()\(order) * self.\(scale).view(-1, 1, 1) + self.\(offset).view(-1, 1, 1)")
    }

    /// The Python source of a node's value.
    private mutating func add(_ node: FrameNode, _ inputs: [String]) -> String {
        let (name, x) = (node.name, inputs[0])
        switch node.operation {
        case .convolution(let kernel, let bias, let window, let groups):
            return addConvolution(name, x, kernel, bias, window, groups)
        case .normalization(let normalization):
            let part = module.add(name, "nn.BatchNorm2d(\(normalization.gamma.count), eps=\(normalization.epsilon))")
            tensors += normalization.torch(prefix + part)
            return "self.\(part)(\(x))"
        case .activation(let kind): return kind.torch(x)
        case .maximum(let window):
            return "F.max_pool2d(\(window.torchPadded(x, "-math.inf")), \(window.torchExtents))"
        case .average(let window, let countsPadding):
            let padded = "F.avg_pool2d(\(window.torchPadded(x, "0.0")), \(window.torchExtents))"
            if countsPadding || !window.isPadded { return padded }
            return "\(padded) / F.avg_pool2d(\(window.torchPadded("torch.ones_like(\(x)[:1, :1])", "0.0")), \(window.torchExtents))"
        case .zeroPadding(let rows, let columns): return "F.pad(\(x), (\(columns), \(columns), \(rows), \(rows)))"
        case .globalAverage(let keepsDimensions): return "\(x).mean((2, 3)\(keepsDimensions ? ", keepdim=True" : ""))"
        case .globalMaximum: return "\(x).amax((2, 3))"
        case .flatten: return "\(x).permute(0, 2, 3, 1).flatten(1)"
        case .add: return "\(x) + \(inputs[1])"
        case .multiply: return "\(x) * \(inputs[1])"
        case .standardization(let mean, let deviation):
            let part = module.add(name, "Standardization(\(mean.count))")
            tensors += [mean.exported(as: "\(prefix)\(part).mean"), deviation.exported(as: "\(prefix)\(part).standard_deviation")]
            return "self.\(part)(\(x))"
        }
    }

    private mutating func addConvolution(
        _ name: String, _ x: String, _ kernel: ModelTensor, _ bias: ModelTensor?, _ window: MapWindow, _ groups: Int
    ) -> String {
        let isSymmetric = window.top == window.bottom && window.left == window.right
        var options = window.torchExtents
        if isSymmetric, window.isPadded { options += ", padding=(\(window.top), \(window.left))" }
        if groups > 1 { options += ", groups=\(groups)" }
        if bias == nil { options += ", bias=False" }
        let part = module.add(name, "nn.Conv2d(\(kernel.shape[2] * groups), \(kernel.shape[3]), \(options))")
        tensors.append(kernel.exported(as: "\(prefix)\(part).weight", order: [3, 2, 0, 1]))
        if let bias { tensors.append(bias.exported(as: "\(prefix)\(part).bias")) }
        return "self.\(part)(\(isSymmetric ? x : window.torchPadded(x, "0.0")))"
    }
}

extension MapWindow {
    /// Size and strides as arguments.
    fileprivate var torchExtents: String { "(\(size.rows), \(size.columns)), stride=(\(strides.rows), \(strides.columns))" }

    fileprivate func torchPadded(_ x: String, _ value: String) -> String {
        isPadded ? "F.pad(\(x), (\(left), \(right), \(top), \(bottom)), value=\(value))" : x
    }
}

extension ExportedNormalization {
    /// Under PyTorch's names.
    package func torch(_ part: String) -> [ExportedTensor] {
        [
            gamma.exported(as: "\(part).weight"), beta.exported(as: "\(part).bias"), mean.exported(as: "\(part).running_mean"),
            variance.exported(as: "\(part).running_var"),
        ]
    }
}
