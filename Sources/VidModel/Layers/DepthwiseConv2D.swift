import VidTensor

/// A convolution of each channel by itself, (N, H, W, C) -> (N, H', W', C); Keras's `DepthwiseConv2D` with a multiplier of 1.
///
/// Parameters `<prefix>/<name>/kernel` (rows, columns, C), Glorot uniform as in Keras, where a kernel (rows, columns, C, 1) counts as
/// one of C channels and one filter; and, unless it has no bias, `/bias` (C), zero.
package struct DepthwiseConv2D: FusingLayer {
    package let name: String
    package let type = "DepthwiseConv2D"
    package let channels: Int
    package let isTrainable: Bool
    package let kernel: ParameterID
    /// Nil: none.
    package let bias: ParameterID?
    package let kernelSize: (rows: Int, columns: Int)
    package let stride: (rows: Int, columns: Int)
    package let padding: ConvolutionGeometry.Padding

    /// Registers the layer's parameters below `prefix`.
    package init(
        _ name: String, prefix: String, channels: Int, kernel: (rows: Int, columns: Int) = (3, 3),
        stride: (rows: Int, columns: Int) = (1, 1),
        padding: ConvolutionGeometry.Padding = .same, hasBias: Bool = true, trainable: Bool = true, layout: inout ParameterLayout
    ) {
        precondition(channels > 0, "\(name): \(channels) channels")
        self.name = name
        self.channels = channels
        kernelSize = kernel
        self.stride = stride
        self.padding = padding
        isTrainable = trainable
        let taps = kernel.rows * kernel.columns
        self.kernel = layout.add(
            "\(prefix)/\(name)/kernel", [kernel.rows, kernel.columns, channels], .glorotUniform(fanIn: taps * channels, fanOut: taps),
            trainable: trainable)
        bias = hasBias ? layout.add("\(prefix)/\(name)/bias", [channels], .zeros, trainable: trainable) : nil
    }

    package var parameterCount: Int { (kernelSize.rows * kernelSize.columns + (bias == nil ? 0 : 1)) * channels }

    package var isConvolution: Bool { true }

    package var readsInput: Bool { isTrainable }

    package func outputShape(_ input: Shape) -> Shape { geometry(input).outputShape }

    package func flops(_ input: Shape) -> Double {
        2 * Double(geometry(input).outputShape.count) * Double(kernelSize.rows * kernelSize.columns)
    }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int {
        DepthwiseConvolution.scratchFloats(geometry(input), workers: workers, gradients: gradients) * MemoryLayout<Float>.stride
    }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        forward(input, into: output, Finish(), adding: nil, context)
    }

    package func backward(
        _ dOutput: Tensor, input: Tensor, output: Tensor, into dInput: Tensor?, rectified: RectifiedGradients, _ context: Context
    ) {
        let g = geometry(input.shape.dropFirst)
        if let dKernel = context.parameters.gradient(kernel) {
            DepthwiseConvolution.filterGradient(
                g, input: input, dOutput: dOutput, dKernel: dKernel, dBias: bias.flatMap(context.parameters.gradient),
                workers: context.workers, workspace: context.workspace)
        }
        if let dInput {
            DepthwiseConvolution.inputGradient(
                g, dOutput: dOutput, kernel: context.parameters.value(kernel), dInput: dInput, workers: context.workers,
                workspace: context.workspace)
            rectify(dInput, input, rectified, context)
        }
    }

    private func geometry(_ input: Shape) -> ConvolutionGeometry {
        precondition(input.rank == 3 && input[2] == channels, "\(name): expected frames of (rows, columns, \(channels)), received \(input)")
        return ConvolutionGeometry(
            rows: input[0], columns: input[1], channels: channels, filters: channels, kernel: kernelSize, stride: stride, padding: padding,
            groups: channels)
    }
}

// MARK: - Together with the layers after it

extension DepthwiseConv2D {
    package func canFinish(_ finish: Finish, _ input: Shape) -> Bool { !finish.isPooled && !finish.isAdding }

    package func forward(_ input: Tensor, into output: Tensor, _ finish: Finish, adding: Tensor?, _ context: Context) {
        precondition(adding == nil && !finish.isPooled, "\(name): nothing is added to a depthwise convolution")
        let (kernel, bias) = prepared(finish, context)
        DepthwiseConvolution.forward(
            geometry(input.shape.dropFirst), input: input, kernel: kernel, bias: bias, activation: finish.activation, output: output,
            workers: context.workers)
    }

    package func rowWindow(_ input: Shape) -> RowWindow? {
        let g = geometry(input)
        return RowWindow(count: g.kernelRows, step: g.strideRows, before: g.padTop, rows: g.rows)
    }

    package func forward(
        rows: Range<Int>, of input: Shape, _ source: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, _ finish: Finish,
        adding: UnsafePointer<Float>?, _ context: Context
    ) {
        let (kernel, bias) = prepared(finish, context)
        DepthwiseConvolution.forward(
            geometry(input), rows: rows, input: source, kernel: kernel, bias: bias, activation: finish.activation, output: output)
    }

    /// The kernel and the bias, with the normalisation folded in.
    private func prepared(_ finish: Finish, _ context: Context) -> (kernel: Tensor, bias: Tensor?) {
        let own = context.parameters.value(kernel)
        guard let normalization = finish.normalization else { return (own, bias.map(context.parameters.value)) }
        let folded = context.filters.folded(folding(normalization))
        return (folded.kernel ?? own, folded.bias)
    }

    package func prepareFilters(_ input: Shape, _ finish: Finish, _ context: Context) {
        if let normalization = finish.normalization { _ = context.filters.folded(folding(normalization)) }
    }

    package func filterBytes(_ input: Shape, _ finish: Finish) -> Int {
        finish.normalization == nil ? 0 : (kernelSize.rows * kernelSize.columns + 2) * (channels + 16) * MemoryLayout<Float>.stride
    }

    package func reserveFilters(_ input: Shape, _ finish: Finish, _ filters: FilterCache) throws {
        if let normalization = finish.normalization { try filters.reserve(folding(normalization)) }
    }

    private func folding(_ normalization: NormalizationParameters) -> Folding {
        Folding(kernel: kernel, bias: bias, normalization: normalization, form: nil)
    }
}
