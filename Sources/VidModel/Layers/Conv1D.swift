import VidConfig
import VidTensor

/// Keras's `Conv1D` over the time of (B, T, F), stride 1: (B, T, filters).
///
/// output[t] = activation(bias + sum over k of x[t - before + k dilation] kernel[k]), with K values of the kernel and before =
/// (K - 1) dilation for `causal` padding, half of it, rounded down, for `same`. Parameters `NAME/kernel` (K, F, filters), Glorot
/// uniform, and with `use_bias` `NAME/bias` (filters), zeros.
///
/// Masked steps count as zeros, as the steps outside the clip do. So a short clip gives the same numbers as without its padding;
/// what comes out at masked steps does not matter.
package struct Conv1D: SequenceLayer {
    package let name: String
    private let options: Conv1DOptions
    private let windows: TimeWindows
    private let kernel: ParameterID
    private let bias: ParameterID?

    package init(_ name: String, features: Int, _ options: Conv1DOptions, _ layout: inout ParameterLayout) {
        self.name = name
        self.options = options
        let (size, filters) = (options.kernelSize, options.filters)
        let reach = (size - 1) * options.dilationRate
        windows = TimeWindows(size: size, dilation: options.dilationRate, before: options.padding == .causal ? reach : reach / 2)
        kernel = layout.add(
            "\(name)/kernel", [size, features, filters], .glorotUniform(fanIn: size * features, fanOut: size * filters))
        bias = options.useBias ? layout.add("\(name)/bias", [filters], .zeros) : nil
    }

    package func outputShape(_ input: Shape) -> Shape { [input[0], options.filters] }

    package func forward(_ input: Tensor, mask: Tensor?, _ context: Context) -> Saved {
        let (batch, steps, features) = (input.shape[0], input.shape[1], input.shape[2])
        let output = context.workspace.take([batch, steps, options.filters])
        let gathered = context.workspace.take([batch, steps, windows.size * features])
        windows.gather(input, mask: mask, into: gathered, context.workers)
        let rows = gathered.reshaped([batch * steps, gathered.shape.last])
        MatrixProduct.multiply(
            rows, matrix(context), into: output.reshaped([batch * steps, options.filters]),
            finish: .init(bias: bias.map { context.parameters.value($0) }, activation: options.activation.kind ?? .linear),
            context.workspace, context.workers)
        if options.activation == .softmax { Softmax.forward(output, into: output, context.workers) }
        var saved = Saved(input: input, output: output)
        saved.windows = rows
        return saved
    }

    package func backward(_ dOutput: Tensor, _ saved: Saved, mask: Tensor?, _ context: Context, needsInputGradient: Bool) -> Tensor? {
        guard let gathered = saved.windows else { preconditionFailure("\(name): backward without a forward pass") }
        let dInput = needsInputGradient ? context.workspace.take(saved.input.shape) : nil
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        var dSum = dOutput.reshaped([gathered.shape[0], options.filters])
        if options.activation != .linear {
            dSum = context.workspace.take(dSum.shape)
            options.activation.backward(output: saved.output, dOutput, into: dSum, context.workers)
        }
        if let dKernel = context.parameters.gradient(kernel) {
            MatrixProduct.multiply(
                gathered, transposeA: true, dSum, into: dKernel.reshaped([gathered.shape[1], options.filters]), accumulate: true,
                context.workspace, context.workers)
        }
        if let dBias = bias.flatMap({ context.parameters.gradient($0) }) { Reductions.addColumnSums(dSum, to: dBias, context.workers) }
        if let dInput {
            let dWindows = context.workspace.take(gathered.shape)
            MatrixProduct.multiplyByTransposed(dSum, matrix(context), into: dWindows, context.workspace, context.workers)
            let shape = saved.input.shape
            windows.scatter(dWindows.reshaped([shape[0], shape[1], gathered.shape[1]]), mask: mask, into: dInput, context.workers)
        }
        return dInput
    }

    /// The kernel as (K F, filters).
    private func matrix(_ context: Context) -> Tensor {
        let kernel = context.parameters.value(kernel)
        return kernel.reshaped([kernel.shape[0] * kernel.shape[1], kernel.shape[2]])
    }

    /// Floats that a step takes from the workspace besides input, output and their gradients: for each clip, and for any number.
    static func stepFloats(steps: Int, features: Int, _ options: Conv1DOptions) -> (clip: Double, constant: Double) {
        let window = Double(options.kernelSize) * Double(features)
        let products = MatrixProduct.stepFloats(inputs: window, outputs: Double(options.filters))
        return (Double(steps) * (2 * window + Double(options.filters) + products.row) + 48, products.constant)
    }
}
