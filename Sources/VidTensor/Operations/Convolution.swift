import CKernels

/// Two-dimensional convolutions of frames (N, H, W, C) with a kernel (rows, columns, C, K): forward and the four gradients.
///
/// Every result has the same bits whatever the number of workers. Outputs and input gradients also have the same bits
/// whatever number of frames is passed in one call. What is summed over frames is added in groups of
/// `frameGroup` frames, in order, so that gradients have the same bits if frames are passed in multiples of that.
package enum Convolution {
    /// Frames whose filter gradient is taken together. Gradients over many frames are the same bits however the frames are
    /// divided among calls, as long as every call but the last gets a multiple of so many.
    package static let frameGroup = 8

    /// output (N, H', W', K) = input * kernel + bias, then max(0, .) where `relu`.
    ///
    /// - Parameters:
    ///   - filters: for Winograd, the kernel transformed; made for this call when nil.
    ///   - isPooled: (Winograd only) 2x2 max pooling follows: the output is (N, H' / 2, W' / 2, K), rounded down.
    package static func forward(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, input: Tensor, kernel: Tensor, filters: WinogradFilters? = nil,
        bias: Tensor, relu: Bool, isPooled: Bool = false, output: Tensor, workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: input, output: output, isPooled: isPooled)
        precondition(kernel.shape == g.kernelShape && bias.count == g.filters, "kernel \(kernel.shape), bias \(bias.shape) for \(g)")
        switch algorithm {
        case .im2col:
            precondition(!isPooled, "im2col does not pool")
            Im2colConvolution.forward(
                g, frames: frames, input: input.base, kernel: kernel.base, bias: bias.base, relu: relu, output: output.base,
                workers: workers, workspace: workspace)
        case .winograd:
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            WinogradConvolution.forward(
                g, frames: frames, input: input.base, filters: filters ?? transform(kernel, .forward, workers, workspace),
                target: .init(
                    output: output.base,
                    epilogue: isPooled ? .pooled(bias.base, relu: relu) : .biased(bias.base, relu: relu)),
                workers: workers, workspace: workspace)
        }
    }

    /// dInput (N, H, W, C), overwritten, from dOutput (N, H', W', K): the gradient before the bias and the ReLU.
    ///
    /// - Parameters:
    ///   - filters: for Winograd, the kernel transformed for the input gradient; made for this call when nil.
    ///   - gate: the input, where it is what a ReLU gave: dInput is 0 where it is not positive, which is that ReLU's gradient.
    package static func inputGradient(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, dOutput: Tensor, kernel: Tensor, filters: WinogradFilters? = nil,
        gate: Tensor? = nil, dInput: Tensor, workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: dInput, output: dOutput)
        precondition(gate.map { $0.shape == dInput.shape } ?? true, "gate \(String(describing: gate?.shape)) for \(dInput.shape)")
        precondition(kernel.shape == g.kernelShape, "kernel \(kernel.shape) for \(g)")
        switch (algorithm, g.inputGradient) {
        case (.winograd, let backward?):
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            WinogradConvolution.forward(
                backward, frames: frames, input: dOutput.base, filters: filters ?? transform(kernel, .inputGradient, workers, workspace),
                target: .init(output: dInput.base, epilogue: gate.map { .gated($0.base) } ?? .plain), workers: workers,
                workspace: workspace)
        default:
            Im2colConvolution.inputGradient(
                g, frames: frames, dOutput: dOutput.base, kernel: kernel.base, dInput: dInput.base, workers: workers,
                workspace: workspace)
            if let gate { Rectifier.gradient(output: gate, dOutput: dInput, dInput: dInput, workers: workers) }
        }
    }

    /// dKernel (rows, columns, C, K) += the gradient of the kernel, and dBias (K), unless it is nil, += that of the bias; a
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
            if let dBias { biasGradient(g, dOutput: dOutput, dBias: dBias, workers: workers, workspace: workspace) }
            Im2colFilterGradient.add(
                g, frames: frames, input: input.base, dOutput: dOutput.base, dKernel: dKernel.base, workers: workers,
                workspace: workspace)
        case .winograd:
            WinogradFilterGradient.add(
                g, frames: frames, input: input.base, dOutput: dOutput.base, dKernel: dKernel.base, dBias: dBias?.base, workers: workers,
                workspace: workspace)
        }
    }

    /// The kernel transformed, in the workspace.
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

    /// Floats of scratch that the forward pass, or with `gradients` any of the four, takes from the workspace at most; the
    /// bias's partial sums, a few kilobytes a frame, and filters transformed for one call apart.
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

    /// Positions of a bias gradient's partial sum.
    private static let biasSection = 512

    /// The number of frames, once the shapes agree.
    private static func check(_ g: ConvolutionGeometry, input: Tensor, output: Tensor, isPooled: Bool = false) -> Int {
        let outputShape: Shape = isPooled ? [g.outRows / 2, g.outColumns / 2, g.filters] : g.outputShape
        precondition(
            input.shape.rank == 4 && output.shape.rank == 4 && input.shape[0] == output.shape[0]
                && input.shape.dropFirst == g.inputShape && output.shape.dropFirst == outputShape,
            "maps \(input.shape) and \(output.shape) for \(g)")
        return input.shape[0]
    }
}
