import CKernels

/// Two-dimensional convolutions of frames (N, H, W, C) with a kernel (rows, columns, C, K): forward and the four gradients.
///
/// The engine is a value, so that another one (Winograd) stands beside im2col without its callers knowing. Every result
/// has the same bits whatever the number of workers, and whatever number of frames is passed in one call: blocks of work
/// depend on the shape of one frame only, and what is summed over frames is added frame by frame, in order.
package enum Convolution {
    /// How the products are computed.
    package enum Algorithm: String, Sendable, CaseIterable {
        /// Rows of the im2col matrix, a block of output positions at a time, times the kernel as a matrix.
        case im2col
    }

    /// The algorithm for a layer shape.
    package static func algorithm(for geometry: ConvolutionGeometry) -> Algorithm { .im2col }

    /// output (N, H', W', K) = input * kernel + bias, then max(0, .) where `relu`.
    package static func forward(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, input: Tensor, kernel: Tensor, bias: Tensor, relu: Bool,
        output: Tensor, workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: input, output: output)
        precondition(kernel.shape == g.kernelShape && bias.count == g.filters, "kernel \(kernel.shape), bias \(bias.shape) for \(g)")
        switch algorithm {
        case .im2col:
            Im2colConvolution.forward(
                g, frames: frames, input: input.base, kernel: kernel.base, bias: bias.base, relu: relu, output: output.base,
                workers: workers, workspace: workspace)
        }
    }

    /// dInput (N, H, W, C), overwritten, from dOutput (N, H', W', K): the gradient before the bias and the ReLU.
    package static func inputGradient(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, dOutput: Tensor, kernel: Tensor, dInput: Tensor,
        workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: dInput, output: dOutput)
        precondition(kernel.shape == g.kernelShape, "kernel \(kernel.shape) for \(g)")
        switch algorithm {
        case .im2col:
            Im2colConvolution.inputGradient(
                g, frames: frames, dOutput: dOutput.base, kernel: kernel.base, dInput: dInput.base, workers: workers,
                workspace: workspace)
        }
    }

    /// dKernel (rows, columns, C, K) += the gradient of the kernel, frame by frame.
    package static func filterGradient(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, input: Tensor, dOutput: Tensor, dKernel: Tensor,
        workers: Workers, workspace: Workspace
    ) {
        let frames = check(g, input: input, output: dOutput)
        precondition(dKernel.shape == g.kernelShape, "kernel gradient \(dKernel.shape) for \(g)")
        switch algorithm {
        case .im2col:
            Im2colFilterGradient.add(
                g, frames: frames, input: input.base, dOutput: dOutput.base, dKernel: dKernel.base, workers: workers,
                workspace: workspace)
        }
    }

    /// The gradient of the bias and of the ReLU after it. With `output` (what `forward` gave with `relu`), dOutput is
    /// first set to zero in place where the output is not positive; then dBias (K) += its sums, frame by frame. Either may
    /// be nil.
    package static func biasAndReLUGradient(
        _ g: ConvolutionGeometry, dOutput: Tensor, output: Tensor?, dBias: Tensor?, workers: Workers, workspace: Workspace
    ) {
        guard output != nil || dBias != nil else { return }
        precondition(dOutput.shape.dropFirst == g.outputShape, "output gradient \(dOutput.shape) for \(g)")
        precondition(
            output.map { $0.shape == dOutput.shape } ?? true, "output \(String(describing: output?.shape)), gradient \(dOutput.shape)")
        precondition(dBias.map { $0.count == g.filters } ?? true, "bias gradient \(String(describing: dBias?.shape)) for \(g)")
        let filters = g.filters
        let sections = (g.positions + biasSection - 1) / biasSection
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let partial = workspace.take([dOutput.shape[0] * sections, filters]).base
        workers.forEach(dOutput.shape[0] * sections) { block, _ in
            let first = block % sections * biasSection
            let positions = min(biasSection, g.positions - first)
            let at = (block / sections * g.positions + first) * filters
            if let output { vc_relu_gradient(output.base + at, dOutput.base + at, dOutput.base + at, positions * filters) }
            if dBias != nil { vc_sum_positions(dOutput.base + at, positions, Int32(filters), partial + block * filters) }
        }
        guard let dBias else { return }
        for block in 0..<dOutput.shape[0] * sections { vc_add(dBias.base, partial + block * filters, filters) }
    }

    /// Floats of scratch that the forward pass, or with `gradients` any of the four, takes from the workspace at most;
    /// the bias's partial sums, a few kilobytes a frame, apart.
    package static func scratchFloats(
        _ g: ConvolutionGeometry, _ algorithm: Algorithm = .im2col, workers: Int, gradients: Bool
    ) -> Int {
        switch algorithm {
        case .im2col:
            let forward = Im2colConvolution.forwardScratch(g, workers: workers)
            guard gradients else { return forward }
            return max(
                forward, Im2colConvolution.inputGradientScratch(g, workers: workers), Im2colFilterGradient.scratch(g, workers: workers))
        }
    }

    /// Positions of a bias gradient's partial sum.
    private static let biasSection = 512

    /// The number of frames, once the shapes agree.
    private static func check(_ g: ConvolutionGeometry, input: Tensor, output: Tensor) -> Int {
        precondition(
            input.shape.rank == 4 && output.shape.rank == 4 && input.shape[0] == output.shape[0]
                && input.shape.dropFirst == g.inputShape && output.shape.dropFirst == g.outputShape,
            "maps \(input.shape) and \(output.shape) for \(g)")
        return input.shape[0]
    }
}
