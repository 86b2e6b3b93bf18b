import CKernels

/// Two-dimensional convolutions of frames (N, H, W, C) with a kernel (rows, columns, C / groups, K): forward and the four gradients.
///
/// Every result has the same bits for any number of workers. Outputs and input gradients also have the same bits for any
/// number of frames per call. Sums over frames are added in groups of `frameGroup` frames, in order, so that gradients have
/// the same bits if frames are passed in multiples of it.
package enum Convolution {
    /// Frames whose filter gradient is computed together. Gradients over many frames have the same bits however the frames are
    /// divided among calls, if every call but the last gets a multiple of this number.
    package static let frameGroup = WinogradFilterGradient.frameGroup

    /// output (N, H', W', K) = activation(input * kernel + bias + adding).
    ///
    /// - Parameters:
    ///   - adding: a map of the output's shape, such as the short way around a residual block. It may not be the output.
    ///   - filters: the kernel in the algorithm's form; nil: prepared in this call.
    ///   - isPooled: (Winograd only, with no other activation than relu and nothing to add) 2x2 max pooling follows: the output
    ///     is (N, H' / 2, W' / 2, K), rounded down.
    ///   - unpooled: the place of the output before the pooling; nil if only the pooled one is wanted.
    package static func forward(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, input: Tensor, kernel: Tensor, filters: PreparedFilters? = nil,
        bias: Tensor?, activation: ActivationKind = .linear, adding: Tensor? = nil, isPooled: Bool = false, unpooled: Tensor? = nil,
        output: Tensor, workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: input, output: output, isPooled: isPooled)
        precondition(
            kernel.shape == g.kernelShape && bias?.count ?? g.filters == g.filters,
            "kernel \(kernel.shape), bias \(String(describing: bias?.shape)) for \(g)")
        precondition(adding.map { $0.shape == output.shape } ?? true, "adding \(String(describing: adding?.shape)) to \(output.shape)")
        let isRectified = activation == .relu && adding == nil
        let isFused = isRectified || (activation == .linear && adding == nil)
        precondition(isFused || !isPooled, "\(activation) before pooling")
        precondition(
            unpooled.map { isPooled && $0.shape == g.outputShape.prepending(frames) } ?? true,
            "a map \(unpooled?.shape ?? []) before pooling")
        let biasBase = bias.map { UnsafePointer($0.base) }
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        switch filters ?? prepare(kernel, groups: g.groups, algorithm, workers, workspace) {
        case .packed(let filters):
            precondition(!isPooled, "im2col does not pool")
            Im2colConvolution.forward(
                g, frames: frames, input: input.base, filters: filters,
                finish: .init(bias: biasBase, activation: activation, adding: adding.map { UnsafePointer($0.base) }), output: output.base,
                workers: workers, workspace: workspace)
        case .winograd(let filters):
            WinogradConvolution.forward(
                g, frames: frames, input: input.base, filters: filters,
                target: .init(
                    output: output.base,
                    epilogue: isPooled ? .pooled(biasBase, relu: isRectified, whole: unpooled?.base) : .biased(biasBase, relu: isRectified)),
                workers: workers, workspace: workspace)
            if !isFused { finish(output, activation: activation, adding: adding, workers: workers) }
        }
    }

    /// Rows of one frame's output by a pointwise convolution, on the calling thread: activation(adding + input * kernel + bias). The maps
    /// are given by the place of their row 0.
    package static func pointwise(
        _ g: ConvolutionGeometry, rows: Range<Int>, input: UnsafePointer<Float>, filters: PackedFilters, bias: Tensor?,
        activation: ActivationKind, adding: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>
    ) {
        precondition(g.isPointwise && g.groups == 1, "\(g) is not pointwise")
        Im2colConvolution.pointwise(
            g, rows.lowerBound * g.columns..<rows.upperBound * g.columns, input, filters,
            .init(bias: bias.map { UnsafePointer($0.base) }, activation: activation, adding: adding), output)
    }

    /// output = activation(output + adding), the pass after a Winograd convolution that cannot do it.
    private static func finish(_ output: Tensor, activation: ActivationKind, adding: Tensor?, workers: Workers) {
        workers.forEachRange(of: output.count, size: 16384) { range, _ in
            let at = range.lowerBound
            vc_finish_positions(activation.code, 1, range.count, nil, adding.map { UnsafePointer($0.base + at) }, output.base + at)
        }
    }

    /// dInput (N, H, W, C), overwritten, from dOutput (N, H', W', K): the gradient before the bias and the ReLU.
    ///
    /// - Parameters:
    ///   - filters: for Winograd, the kernel transformed for the input gradient; nil: transformed in this call. Others ignore it.
    ///   - gate: the input, if it is the output of a ReLU: dInput is then 0 where it is not positive, which is the ReLU's gradient.
    package static func inputGradient(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, dOutput: Tensor, kernel: Tensor, filters: PreparedFilters? = nil,
        gate: Tensor? = nil, dInput: Tensor, workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: dInput, output: dOutput)
        precondition(gate.map { $0.shape == dInput.shape } ?? true, "gate \(String(describing: gate?.shape)) for \(dInput.shape)")
        precondition(kernel.shape == g.kernelShape, "kernel \(kernel.shape) for \(g)")
        switch (algorithm, g.inputGradient) {
        case (.winograd, let backward?):
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            var transformed: WinogradFilters?
            if case .winograd(let filters) = filters { transformed = filters }
            WinogradConvolution.forward(
                backward, frames: frames, input: dOutput.base,
                filters: transformed ?? transform(kernel, .inputGradient, workers, workspace),
                target: .init(output: dInput.base, epilogue: gate.map { .gated($0.base) } ?? .plain), workers: workers,
                workspace: workspace)
        default:
            Im2colConvolution.inputGradient(
                g, frames: frames, dOutput: dOutput.base, kernel: kernel, dInput: dInput.base, workers: workers,
                workspace: workspace)
            if let gate { Rectifier.gradient(output: gate, dOutput: dInput, dInput: dInput, workers: workers) }
        }
    }

    /// dKernel (rows, columns, C / groups, K) += the gradient of the kernel, and dBias (K), unless it is nil, += that of the bias; a
    /// group of frames at a time.
    package static func filterGradient(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, input: Tensor, dOutput: Tensor, dKernel: Tensor,
        dBias: Tensor? = nil, workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: input, output: dOutput)
        precondition(dKernel.shape == g.kernelShape, "kernel gradient \(dKernel.shape) for \(g)")
        precondition(dBias.map { $0.count == g.filters } ?? true, "bias gradient \(String(describing: dBias?.shape)) for \(g)")
        switch algorithm {
        case .im2col:
            let sumsBias = Im2colFilterGradient.sumsBias(g)
            if let dBias, !sumsBias { biasGradient(g, dOutput: dOutput, dBias: dBias, workers: workers, workspace: workspace) }
            Im2colFilterGradient.add(
                g, frames: frames, input: input.base, dOutput: dOutput.base, dKernel: dKernel.base, dBias: sumsBias ? dBias?.base : nil,
                workers: workers, workspace: workspace)
        case .winograd:
            WinogradFilterGradient.add(
                g, frames: frames, input: input.base, dOutput: dOutput.base, dKernel: dKernel.base, dBias: dBias?.base, workers: workers,
                workspace: workspace)
        }
    }

    /// The kernel in an algorithm's form for the forward pass, in the workspace.
    private static func prepare(
        _ kernel: Tensor, groups: Int, _ algorithm: Algorithm, _ workers: Workers, _ workspace: Workspace
    ) -> PreparedFilters {
        guard algorithm == .im2col else { return .winograd(transform(kernel, .forward, workers, workspace)) }
        let filters = PackedFilters(kernelShape: kernel.shape, groups: groups, in: workspace)
        filters.update(kernel, workers: workers)
        return .packed(filters)
    }

    /// The transformed kernel, in the workspace.
    private static func transform(
        _ kernel: Tensor, _ direction: WinogradFilters.Direction, _ workers: Workers, _ workspace: Workspace
    ) -> WinogradFilters {
        let filters = WinogradFilters(direction, kernelShape: kernel.shape, in: workspace)
        filters.update(kernel, workers: workers, workspace: workspace)
        return filters
    }

    /// dBias (K) += the sums of dOutput over frames and positions, frame by frame.
    package static func biasGradient(
        _ g: ConvolutionGeometry, dOutput: Tensor, dBias: Tensor, workers: Workers, workspace: Workspace
    ) {
        precondition(dOutput.shape.dropFirst == g.outputShape, "output gradient \(dOutput.shape) for \(g)")
        precondition(dBias.count == g.filters, "bias gradient \(dBias.shape) for \(g)")
        let filters = g.filters
        let sections = (g.positions + biasSection - 1) / biasSection
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let partial = workspace.take([dOutput.shape[0] * sections, filters]).base
        workers.forEach(dOutput.shape[0] * sections) { block, _ in
            let first = block % sections * biasSection
            let positions = min(biasSection, g.positions - first)
            let at = (block / sections * g.positions + first) * filters
            vc_sum_positions(dOutput.base + at, positions, Int32(filters), partial + block * filters)
        }
        for block in 0..<dOutput.shape[0] * sections { vc_add(dBias.base, partial + block * filters, filters) }
    }

    /// The most scratch floats that the forward pass (or, with `gradients`, any of the passes) takes from the workspace. The
    /// bias's partial sums (a few kilobytes a frame) and filters prepared for one call are not included.
    package static func scratchFloats(
        _ g: ConvolutionGeometry, preferring preferred: Algorithm? = nil, workers: Int, gradients: Bool
    ) -> Int {
        func pass(_ g: ConvolutionGeometry) -> Int {
            switch algorithm(for: g, preferring: preferred) {
            case .im2col: Im2colConvolution.forwardScratch(g, workers: workers)
            case .winograd: WinogradConvolution.scratch(g, workers: workers)
            }
        }
        guard gradients else { return pass(g) }
        let inputGradient =
            switch (algorithm(for: g, preferring: preferred), g.inputGradient) {
            case (.winograd, let backward?): WinogradConvolution.scratch(backward, workers: workers) + 9 * g.channels * g.filters
            default: Im2colConvolution.inputGradientScratch(g, workers: workers)
            }
        let filterGradient =
            switch filterGradientAlgorithm(for: g, preferring: preferred) {
            case .im2col: Im2colFilterGradient.scratch(g, workers: workers)
            case .winograd: WinogradFilterGradient.scratch(g, workers: workers)
            }
        return max(pass(g), inputGradient, filterGradient)
    }

    /// Positions in a partial sum of the bias gradient.
    private static let biasSection = 512

    /// Checks the shapes and returns the number of frames.
    private static func check(_ g: ConvolutionGeometry, input: Tensor, output: Tensor, isPooled: Bool = false) -> Int {
        let outputShape: Shape = isPooled ? [g.outRows / 2, g.outColumns / 2, g.filters] : g.outputShape
        precondition(
            input.shape.rank == 4 && output.shape.rank == 4 && input.shape[0] == output.shape[0]
                && input.shape.dropFirst == g.inputShape && output.shape.dropFirst == outputShape,
            "maps \(input.shape) and \(output.shape) for \(g)")
        return input.shape[0]
    }
}

extension Convolution {
    /// The ways to compute the products.
    package enum Algorithm: String, Sendable, CaseIterable {
        /// Rows of the im2col matrix, a block of output positions at a time, times the kernel as a matrix.
        case im2col
        /// Winograd's F(4x4, 3x3): a quarter of the multiplications, for 3x3 kernels with stride 1 and same padding.
        case winograd
    }

    /// The algorithm of the forward pass and of the input gradient: `preferred` if it supports `g`; the faster one if that is
    /// nil.
    package static func algorithm(for g: ConvolutionGeometry, preferring preferred: Algorithm? = nil) -> Algorithm {
        choose(g, preferred, isFasterByWinograd)
    }

    /// The algorithm of the filter gradient.
    ///
    /// Maps of one row or one column get im2col whatever is preferred: two thirds of the taps see only padding there. Their
    /// gradient is exactly 0, and Winograd's rounding error in its place would move them in every step of Adam.
    package static func filterGradientAlgorithm(for g: ConvolutionGeometry, preferring preferred: Algorithm? = nil) -> Algorithm {
        if min(g.rows, g.columns) == 1 { return .im2col }
        return choose(g, preferred) {
            isFasterByWinograd($0) && ($0.channels * $0.filters <= 128 * 256 || WinogradConvolution.tiles($0) >= 4)
        }
    }

    /// The floating-point operations of the products of one frame: by Winograd a quarter of the convolution's, for whole tiles.
    package static func productFlops(_ g: ConvolutionGeometry, _ algorithm: Algorithm) -> Double {
        switch algorithm {
        case .im2col: g.flops
        case .winograd: 2 * Double(WinogradMatrices.frequencies * WinogradConvolution.tiles(g) * g.channels * g.filters)
        }
    }

    private static func choose(
        _ g: ConvolutionGeometry, _ preferred: Algorithm?, _ isFasterByWinograd: (ConvolutionGeometry) -> Bool
    ) -> Algorithm {
        switch preferred {
        case .im2col: .im2col
        case .winograd: WinogradConvolution.supports(g) ? .winograd : .im2col
        case nil: WinogradConvolution.supports(g) && isFasterByWinograd(g) ? .winograd : .im2col
        }
    }

    /// Measured on one core (Zen 4, AVX-512, 105 GFLOP/s), eight frames (two at 112 and 224 rows), fastest of six alternating
    /// rounds; milliseconds a frame by im2col, by Winograd, and the ratio:
    ///
    ///     rows  layer        forward               input gradient        filter gradient
    ///     224     3 ->  64    2.95   2.76  1.07     5.55   3.52  1.58     3.09   4.27  0.72   (has no input gradient in a CNN)
    ///     224    64 ->  64   44.10  13.27  3.32    41.68  12.36  3.37    45.46  17.73  2.56
    ///     112    64 -> 128   20.47   5.84  3.51    21.75   5.95  3.65    20.24   9.67  2.09
    ///     112   128 -> 128   42.69  11.49  3.72    39.39  10.93  3.61    41.15  14.43  2.85
    ///      56   128 -> 256   21.29   5.15  4.13    21.01   5.32  3.95    20.51   6.36  3.22
    ///      56   256 -> 256   40.25  10.91  3.69    40.26  11.32  3.56    43.08  11.63  3.71
    ///      28   256 -> 512   21.95   5.03  4.37    20.88   5.01  4.17    23.98   5.93  4.04
    ///      28   512 -> 512   50.10  10.03  5.00    49.63   9.86  5.03    52.32  11.17  4.68
    ///      14   512 -> 512   10.39   3.05  3.40    11.08   3.07  3.61    11.24   3.77  2.98
    ///     112     3 ->  16    0.45   0.48  0.94     0.59   0.54  1.09     0.47   0.59  0.79
    ///     112     8 ->   8    0.60   0.54  1.12     0.57   0.54  1.06     0.52   0.64  0.82
    ///     112     8 ->  16    0.66   0.51  1.28     0.77   0.52  1.48     0.69   0.59  1.17
    ///     112    16 ->  16    0.79   0.46  1.71     0.79   0.46  1.73     0.92   0.58  1.60
    ///      56    32 ->  32    0.74   0.27  2.76     0.73   0.28  2.60     0.82   0.35  2.34
    ///      28    64 ->  64    0.65   0.21  3.09     0.65   0.20  3.21     0.68   0.25  2.74
    ///       7   512 -> 512    3.43   0.82  4.19     3.59   0.81  4.44     2.63   1.44  1.83
    ///       7    16 ->  16   0.003  0.002  1.75    0.003  0.002  1.60    0.003  0.002  1.72
    ///       4   128 -> 128   0.046  0.014  3.30    0.049  0.013  3.71    0.184  0.029  6.36
    ///       4   512 -> 512    1.77   0.27  6.44     2.03   0.26  7.89     0.89   1.01  0.88
    ///       3   128 -> 128   0.027  0.013  2.00    0.037  0.013  2.88    0.110  0.030  3.65
    ///       2   128 -> 128   0.011  0.013  0.86    0.016  0.013  1.30    0.030  0.028  1.08
    ///       1   512 -> 512    0.17   0.27  0.63     0.42   0.24  1.77     0.27   0.97  0.28
    ///
    /// F(6x6, 3x3) would save another fifth of the multiplications at 112 and 224 rows and a tenth at 28 and 56, but its error
    /// on 128 channels and more is over 1e-5 of the largest output (simulated in single precision: 0.9e-5 for 64 channels,
    /// 1.8e-5 for 256, 2.5e-5 for 512, where F(4x4, 3x3) has 0.3e-5, 0.4e-5, 0.5e-5).
    private static func isFasterByWinograd(_ g: ConvolutionGeometry) -> Bool {
        min(g.channels, g.filters) >= 8 && g.channels * g.filters >= 8 * 16 && g.positions >= 9
    }
}
