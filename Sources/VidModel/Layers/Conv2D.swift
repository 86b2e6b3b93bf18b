import VidTensor

/// A two-dimensional convolution with a bias over frames (N, H, W, C) -> (N, H', W', K), optionally with a ReLU
/// (Keras's `Conv2D(..., activation="relu")`).
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
    /// The algorithm wherever it is possible; nil chooses the fastest for the shape.
    package let preferredAlgorithm: Convolution.Algorithm?
    package let kernel: ParameterID
    package let bias: ParameterID

    /// Registers the layer's parameters below `prefix`.
    package init(
        _ name: String, prefix: String, channels: Int, filters: Int, kernel: (rows: Int, columns: Int) = (3, 3),
        stride: (rows: Int, columns: Int) = (1, 1), padding: ConvolutionGeometry.Padding = .same, relu: Bool = false,
        trainable: Bool = true, algorithm: Convolution.Algorithm? = nil, layout: inout ParameterLayout
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
        preferredAlgorithm = algorithm
        let taps = kernel.rows * kernel.columns
        self.kernel = layout.add(
            "\(prefix)/\(name)/kernel", [kernel.rows, kernel.columns, channels, filters],
            .glorotUniform(fanIn: taps * channels, fanOut: taps * filters), trainable: trainable)
        bias = layout.add("\(prefix)/\(name)/bias", [filters], .zeros, trainable: trainable)
    }

    package var parameterCount: Int { (kernelRows * kernelColumns * channels + 1) * filters }

    /// The ReLU's gradient is computed in place.
    package var overwritesOutputGradient: Bool { hasReLU }

    /// The filter gradient comes first, and the Winograd transform reads the ReLU's gate of a place before it writes there.
    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { algorithm(geometry(input)) == .winograd }

    package func outputShape(_ input: Shape) -> Shape { geometry(input).outputShape }

    package func flops(_ input: Shape) -> Double { geometry(input).flops }

    package func algorithmName(_ input: Shape) -> String? { algorithm(geometry(input)).rawValue }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int {
        Convolution.scratchFloats(geometry(input), preferring: preferredAlgorithm, workers: workers, gradients: gradients)
            * MemoryLayout<Float>.stride
    }

    package func filterBytes(_ input: Shape, inputGradient: Bool) -> Int {
        guard algorithm(geometry(input)) == .winograd else { return 0 }
        return WinogradFilters.bytes(.forward, channels: channels, filters: filters)
            + (inputGradient ? WinogradFilters.bytes(.inputGradient, channels: channels, filters: filters) : 0)
    }

    package func reserveFilters(_ input: Shape, inputGradient: Bool, _ filters: FilterCache) throws {
        guard algorithm(geometry(input)) == .winograd else { return }
        try filters.reserve(kernel, .forward)
        if inputGradient { try filters.reserve(kernel, .inputGradient) }
    }

    private func algorithm(_ g: ConvolutionGeometry) -> Convolution.Algorithm {
        Convolution.algorithm(for: g, preferring: preferredAlgorithm)
    }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        forward(input, into: output, isPooled: false, context)
    }

    /// Whether the layer can compute the max pooling after it as well, for input samples of shape `input`.
    package func canPool(_ next: MaxPool2D, input: Shape) -> Bool {
        next.pool == .init(2, 2) && next.stride == next.pool && algorithm(geometry(input)) == .winograd
    }

    /// As `forward`, followed by 2x2 max pooling where `isPooled`, with the same bits as the two layers in turn.
    package func forward(_ input: Tensor, into output: Tensor, isPooled: Bool, _ context: Context) {
        let g = geometry(input.shape.dropFirst)
        let algorithm = algorithm(g)
        Convolution.forward(
            g, algorithm, input: input, kernel: context.parameters.value(kernel),
            filters: algorithm == .winograd ? context.filters.filters(kernel, .forward) : nil, bias: context.parameters.value(bias),
            relu: hasReLU, isPooled: isPooled, output: output, workers: context.workers, workspace: context.workspace)
    }

    package func backward(_ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, _ context: Context) {
        backward(dOutput, input: input, output: output, into: dInput, rectified: RectifiedGradients(), context)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        let g = geometry(input.shape.dropFirst)
        let algorithm = algorithm(g)
        if hasReLU, !rectified.output {
            Rectifier.gradient(output: output, dOutput: dOutput, dInput: dOutput, workers: context.workers)
        }
        if let dKernel = context.parameters.gradient(kernel) {
            Convolution.filterGradient(
                g, Convolution.filterGradientAlgorithm(for: g, preferring: preferredAlgorithm), input: input, dOutput: dOutput,
                dKernel: dKernel, dBias: context.parameters.gradient(bias),
                workers: context.workers, workspace: context.workspace)
        }
        if let dInput {
            Convolution.inputGradient(
                g, algorithm, dOutput: dOutput, kernel: context.parameters.value(kernel),
                filters: algorithm == .winograd ? context.filters.filters(kernel, .inputGradient) : nil,
                gate: rectified.input ? input : nil, dInput: dInput, workers: context.workers, workspace: context.workspace)
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
