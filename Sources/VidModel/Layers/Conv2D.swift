import VidTensor

/// A two-dimensional convolution over frames (N, H, W, C) -> (N, H', W', K), optionally with a ReLU (Keras's
/// `Conv2D(..., activation="relu")`).
///
/// Parameters `<prefix>/<name>/kernel` (rows, columns, C / groups, K), Glorot uniform, and, unless it has no bias, `/bias` (K),
/// zero.
package struct Conv2D: FusingLayer {
    package let name: String
    package let type = "Conv2D"
    package let channels: Int
    package let filters: Int
    package let kernelRows: Int
    package let kernelColumns: Int
    package let strideRows: Int
    package let strideColumns: Int
    package let padding: ConvolutionGeometry.Padding
    package let groups: Int
    package let hasReLU: Bool
    package let isTrainable: Bool
    /// The algorithm wherever it is possible; nil chooses the fastest for the shape.
    package let preferredAlgorithm: Convolution.Algorithm?
    package let kernel: ParameterID
    /// Nil: none.
    package let bias: ParameterID?

    /// Registers the layer's parameters below `prefix`.
    package init(
        _ name: String, prefix: String, channels: Int, filters: Int, kernel: (rows: Int, columns: Int) = (3, 3),
        stride: (rows: Int, columns: Int) = (1, 1), padding: ConvolutionGeometry.Padding = .same, groups: Int = 1, hasBias: Bool = true,
        relu: Bool = false, trainable: Bool = true, algorithm: Convolution.Algorithm? = nil, layout: inout ParameterLayout
    ) {
        precondition(channels > 0 && filters > 0, "\(name): \(channels) channels to \(filters) filters")
        precondition(channels % groups == 0 && filters % groups == 0, "\(name): \(channels) to \(filters) in \(groups) groups")
        self.name = name
        self.channels = channels
        self.filters = filters
        (kernelRows, kernelColumns) = kernel
        (strideRows, strideColumns) = stride
        self.padding = padding
        self.groups = groups
        hasReLU = relu
        isTrainable = trainable
        preferredAlgorithm = algorithm
        let taps = kernel.rows * kernel.columns
        self.kernel = layout.add(
            "\(prefix)/\(name)/kernel", [kernel.rows, kernel.columns, channels / groups, filters],
            .glorotUniform(fanIn: taps * channels / groups, fanOut: taps * filters), trainable: trainable)
        bias = hasBias ? layout.add("\(prefix)/\(name)/bias", [filters], .zeros, trainable: trainable) : nil
    }

    package var parameterCount: Int { (kernelRows * kernelColumns * (channels / groups) + (bias == nil ? 0 : 1)) * filters }

    package var isConvolution: Bool { true }

    package var readsInput: Bool { isTrainable }

    /// The ReLU's gradient is computed in place.
    package var overwritesOutputGradient: Bool { hasReLU }

    /// The filter gradient comes first, and the Winograd transform reads the ReLU's gate of a place before it writes there.
    package func canOverwriteInput(_ input: Shape, _ rectified: RectifiedGradients) -> Bool { algorithm(geometry(input)) == .winograd }

    package func outputShape(_ input: Shape) -> Shape { geometry(input).outputShape }

    package func flops(_ input: Shape) -> Double { geometry(input).flops }

    package func productFlops(_ input: Shape) -> Double { Convolution.productFlops(geometry(input), algorithm(geometry(input))) }

    package func algorithmName(_ input: Shape) -> String? { algorithm(geometry(input)).rawValue }

    package func scratchBytes(_ input: Shape, workers: Int, gradients: Bool) -> Int {
        Convolution.scratchFloats(geometry(input), preferring: preferredAlgorithm, workers: workers, gradients: gradients)
            * MemoryLayout<Float>.stride
    }

    package func filterBytes(_ input: Shape, inputGradient: Bool) -> Int {
        floats(form(input)) * MemoryLayout<Float>.stride
            + (inputGradient && algorithm(geometry(input)) == .winograd
                ? floats(.winograd(.inputGradient)) * MemoryLayout<Float>.stride : 0)
    }

    package func reserveFilters(_ input: Shape, inputGradient: Bool, _ filters: FilterCache) throws {
        try filters.reserve(kernel, form(input))
        if inputGradient, algorithm(geometry(input)) == .winograd { try filters.reserve(kernel, .winograd(.inputGradient)) }
    }

    /// The form of the kernel that the forward pass reads.
    private func form(_ input: Shape) -> PreparedFilters.Form {
        algorithm(geometry(input)) == .winograd ? .winograd(.forward) : .packed(groups: groups)
    }

    private func floats(_ form: PreparedFilters.Form) -> Int {
        form.floats([kernelRows, kernelColumns, channels / groups, filters])
    }

    private func algorithm(_ g: ConvolutionGeometry) -> Convolution.Algorithm {
        Convolution.algorithm(for: g, preferring: preferredAlgorithm)
    }

    package func forward(_ input: Tensor, into output: Tensor, _ context: Context) {
        var finish = Finish()
        finish.activation = hasReLU ? .relu : .linear
        forward(input, into: output, finish, adding: nil, context)
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
                dKernel: dKernel, dBias: bias.flatMap(context.parameters.gradient), workers: context.workers, workspace: context.workspace)
        }
        if let dInput {
            Convolution.inputGradient(
                g, algorithm, dOutput: dOutput, kernel: context.parameters.value(kernel),
                filters: algorithm == .winograd ? context.filters.filters(kernel, .winograd(.inputGradient)) : nil,
                gate: rectified.input ? input : nil, dInput: dInput, workers: context.workers, workspace: context.workspace)
        }
    }

    /// The convolution over input samples of shape (H, W, C).
    private func geometry(_ input: Shape) -> ConvolutionGeometry {
        precondition(input.rank == 3 && input[2] == channels, "\(name): expected frames of (rows, columns, \(channels)), received \(input)")
        return ConvolutionGeometry(
            rows: input[0], columns: input[1], channels: channels, filters: filters, kernel: (kernelRows, kernelColumns),
            stride: (strideRows, strideColumns), padding: padding, groups: groups)
    }
}

// MARK: - Together with the layers after it

extension Conv2D {
    /// The convolution's own ReLU is a part of the finish.
    package func canFinish(_ finish: Finish, _ input: Shape) -> Bool {
        guard finish.isPooled else { return true }
        return algorithm(geometry(input)) == .winograd && !finish.isAdding && [.linear, .relu].contains(finish.activation)
    }

    package func forward(_ input: Tensor, into output: Tensor, _ finish: Finish, adding: Tensor?, _ context: Context) {
        forward(input, into: output, unpooled: nil, finish, adding: adding, context)
    }

    /// As the forward pass with a finish.
    ///
    /// - Parameter unpooled: the place of the map before the pooling of the finish; nil if it is not wanted.
    func forward(
        _ input: Tensor, into output: Tensor, unpooled: Tensor?, _ finish: Finish, adding: Tensor? = nil, _ context: Context
    ) {
        let g = geometry(input.shape.dropFirst)
        let (biasValue, filters) = prepared(input.shape.dropFirst, finish, context)
        Convolution.forward(
            g, algorithm(g), input: input, kernel: context.parameters.value(kernel), filters: filters, bias: biasValue,
            activation: finish.activation,
            adding: adding, isPooled: finish.isPooled, unpooled: unpooled, output: output, workers: context.workers,
            workspace: context.workspace)
    }

    package func rowWindow(_ input: Shape) -> RowWindow? {
        let g = geometry(input)
        return g.isPointwise && groups == 1 ? RowWindow(count: 1, step: 1, before: 0, rows: g.rows) : nil
    }

    package func forward(
        rows: Range<Int>, of input: Shape, _ source: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, _ finish: Finish,
        adding: UnsafePointer<Float>?, _ context: Context
    ) {
        let (biasValue, filters) = prepared(input, finish, context)
        guard case .packed(let packed) = filters else { preconditionFailure("\(name): rows of a convolution by \(form(input))") }
        Convolution.pointwise(
            geometry(input), rows: rows, input: source, filters: packed, bias: biasValue, activation: finish.activation, adding: adding,
            output: output)
    }

    package func prepareFilters(_ input: Shape, _ finish: Finish, _ context: Context) { _ = prepared(input, finish, context) }

    /// The bias and the kernel in its form, with the normalisation folded in.
    private func prepared(_ input: Shape, _ finish: Finish, _ context: Context) -> (bias: Tensor?, filters: PreparedFilters?) {
        guard let normalization = finish.normalization else {
            return (bias.map(context.parameters.value), context.filters.filters(kernel, form(input)))
        }
        let folded = context.filters.folded(folding(normalization, form(input)))
        return (folded.bias, folded.filters)
    }

    package func filterBytes(_ input: Shape, _ finish: Finish) -> Int {
        let bias = finish.normalization == nil ? 0 : (filters + 16) * MemoryLayout<Float>.stride
        return filterBytes(input, inputGradient: false) + bias
    }

    package func reserveFilters(_ input: Shape, _ finish: Finish, _ filters: FilterCache) throws {
        guard let normalization = finish.normalization else { return try reserveFilters(input, inputGradient: false, filters) }
        try filters.reserve(folding(normalization, form(input)))
    }

    private func folding(_ normalization: NormalizationParameters, _ form: PreparedFilters.Form) -> Folding {
        Folding(kernel: kernel, bias: bias, normalization: normalization, form: form)
    }
}
