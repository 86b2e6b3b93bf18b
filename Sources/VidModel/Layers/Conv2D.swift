import VidTensor

/// A two-dimensional convolution with a bias over frames (N, H, W, C) -> (N, H', W', K), and optionally a ReLU in the same
/// pass (Keras's `Conv2D(..., activation="relu")`).
///
/// Parameters `<prefix>/<name>/kernel` (rows, columns, C, K), Glorot uniform, and `/bias` (K), zero.
package struct Conv2D: FrameLayer {
    package let name: String
    package let type = "Conv2D"
    package let channels: Int
    package let filters: Int
    package let kernelRows: Int
    package let kernelColumns: Int
    package let strideRows: Int
    package let strideColumns: Int
    package let padding: ConvolutionGeometry.Padding
    package let hasReLU: Bool
    package let isTrainable: Bool
    package let kernel: ParameterID
    package let bias: ParameterID

    /// Registers the layer's parameters below `prefix`.
    package init(
        _ name: String, prefix: String, channels: Int, filters: Int, kernel: (rows: Int, columns: Int) = (3, 3),
        stride: (rows: Int, columns: Int) = (1, 1), padding: ConvolutionGeometry.Padding = .same, relu: Bool = false,
        trainable: Bool = true, layout: inout ParameterLayout
    ) {
        precondition(channels > 0 && filters > 0, "\(name): \(channels) channels to \(filters) filters")
        self.name = name
        self.channels = channels
        self.filters = filters
        (kernelRows, kernelColumns) = kernel
        (strideRows, strideColumns) = stride
        self.padding = padding
        hasReLU = relu
        isTrainable = trainable
        let taps = kernel.rows * kernel.columns
        self.kernel = layout.add(
            "\(prefix)/\(name)/kernel", [kernel.rows, kernel.columns, channels, filters],
            .glorotUniform(fanIn: taps * channels, fanOut: taps * filters), trainable: trainable)
        bias = layout.add("\(prefix)/\(name)/bias", [filters], .zeros, trainable: trainable)
    }

    package var parameterCount: Int { (kernelRows * kernelColumns * channels + 1) * filters }

    /// The ReLU's gradient is taken in place.
    package var overwritesOutputGradient: Bool { hasReLU }

    package func outputShape(_ input: Shape) -> Shape { geometry(input).outputShape }

    package func flops(_ input: Shape) -> Double { geometry(input).flops }

    package func algorithmName(_ input: Shape) -> String? { Convolution.algorithm(for: geometry(input)).rawValue }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int {
        let g = geometry(input)
        let floats = Convolution.scratchFloats(g, Convolution.algorithm(for: g), workers: workers, gradients: gradients)
        return floats * MemoryLayout<Float>.stride
    }

    package func forward(_ input: Tensor, into output: Tensor, _ pass: Pass) {
        let g = geometry(input.shape.dropFirst)
        Convolution.forward(
            g, Convolution.algorithm(for: g), input: input, kernel: pass.parameters.value(kernel), bias: pass.parameters.value(bias),
            relu: hasReLU, output: output, workers: pass.workers, workspace: pass.workspace)
    }

    package func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ pass: Pass) {
        let g = geometry(input.shape.dropFirst)
        let algorithm = Convolution.algorithm(for: g)
        Convolution.biasAndReLUGradient(
            g, dOutput: dOutput, output: hasReLU ? output : nil, dBias: pass.parameters.gradient(bias), workers: pass.workers,
            workspace: pass.workspace)
        if let dKernel = pass.parameters.gradient(kernel) {
            Convolution.filterGradient(
                g, algorithm, input: input, dOutput: dOutput, dKernel: dKernel, workers: pass.workers, workspace: pass.workspace)
        }
        if let dInput {
            Convolution.inputGradient(
                g, algorithm, dOutput: dOutput, kernel: pass.parameters.value(kernel), dInput: dInput, workers: pass.workers,
                workspace: pass.workspace)
        }
    }

    /// The convolution over input samples of shape (H, W, C).
    private func geometry(_ input: Shape) -> ConvolutionGeometry {
        precondition(input.rank == 3 && input[2] == channels, "\(name): expected frames of (rows, columns, \(channels)), received \(input)")
        return ConvolutionGeometry(
            rows: input[0], columns: input[1], channels: channels, filters: filters, kernel: (kernelRows, kernelColumns),
            stride: (strideRows, strideColumns), padding: padding)
    }
}
