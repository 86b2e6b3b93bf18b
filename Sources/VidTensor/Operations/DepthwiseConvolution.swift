import CKernels

/// Depthwise convolutions of frames (N, H, W, C): channel c of the output is channel c of the input with a kernel of its own.
/// The kernel is (rows, columns, C), the same memory as (rows, columns, 1, C).
///
/// The geometry is that of a convolution with as many groups and filters as channels. The kernels are bound by memory: 3x3 and
/// 5x5 with strides 1 and 2 keep several columns of outputs in registers; others go position by position.
///
/// Results have the same bits for any number of workers, and as `Convolution`'s for any number of frames a call: sums over
/// frames if frames are passed in multiples of `Convolution.frameGroup`.
package enum DepthwiseConvolution {
    /// Floats of a block of output rows, about.
    private static let blockFloats = 65536
    /// Output positions whose share of the filter gradient is summed in single precision before it is added.
    private static let sectionPositions = 1024

    /// output (N, H', W', C) = activation(input * kernel + bias).
    package static func forward(
        _ g: ConvolutionGeometry, input: Tensor, kernel: Tensor, bias: Tensor?, activation: ActivationKind = .linear, output: Tensor,
        workers: Workers
    ) {
        let frames = check(g, input: input, output: output, kernel: kernel)
        precondition(bias.map { $0.count == g.channels } ?? true, "bias \(String(describing: bias?.shape)) for \(g)")
        forEachBlock(frames: frames, rows: g.outRows, floatsPerRow: g.outColumns * g.channels, workers) { frame, rows in
            forward(
                g, rows: rows, input: input.base + frame * g.inputShape.count, kernel: kernel, bias: bias, activation: activation,
                output: output.base + frame * g.outputShape.count)
        }
    }

    /// Output rows of one frame, on the calling thread. The maps are given by the place of their row 0; only the input rows that the
    /// output rows depend on are read.
    package static func forward(
        _ g: ConvolutionGeometry, rows: Range<Int>, input: UnsafePointer<Float>, kernel: Tensor, bias: Tensor?,
        activation: ActivationKind = .linear, output: UnsafeMutablePointer<Float>
    ) {
        withUnsafePointer(to: g.kernelShapeForC) {
            vc_depthwise(
                $0, input, kernel.base, bias.map { UnsafePointer($0.base) }, activation.code, Int32(rows.lowerBound),
                Int32(rows.upperBound),
                output)
        }
    }

    /// dInput (N, H, W, C), overwritten, from dOutput (N, H', W', C): the gradient before the bias and the activation.
    package static func inputGradient(
        _ g: ConvolutionGeometry, dOutput: Tensor, kernel: Tensor, dInput: Tensor, workers: Workers, workspace: Workspace
    ) {
        if let backward = g.inputGradient {
            // With stride 1 it is the convolution of dOutput with the rotated kernel, which has faster loops.
            let taps = g.kernelRows * g.kernelColumns
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            let rotated = workspace.take([taps, g.channels])
            precondition(kernel.count == rotated.count, "kernel \(kernel.shape) for \(g)")
            for tap in 0..<taps {
                (rotated.base + (taps - 1 - tap) * g.channels).update(from: kernel.base + tap * g.channels, count: g.channels)
            }
            forward(backward, input: dOutput, kernel: rotated, bias: nil, output: dInput, workers: workers)
            return
        }
        let frames = check(g, input: dInput, output: dOutput, kernel: kernel)
        forEachBlock(frames: frames, rows: g.rows, floatsPerRow: g.columns * g.channels, workers) { frame, rows in
            withUnsafePointer(to: g.kernelShapeForC) {
                vc_depthwise_input_gradient(
                    $0, dOutput.base + frame * g.outputShape.count, kernel.base, Int32(rows.lowerBound), Int32(rows.upperBound),
                    dInput.base + frame * g.inputShape.count)
            }
        }
    }

    /// dKernel (rows, columns, C) += the gradient of the kernel, and dBias (C), unless it is nil, += that of the bias; by
    /// sections of a frame, which are added in order.
    package static func filterGradient(
        _ g: ConvolutionGeometry, input: Tensor, dOutput: Tensor, dKernel: Tensor, dBias: Tensor? = nil, workers: Workers,
        workspace: Workspace
    ) {
        let frames = check(g, input: input, output: dOutput, kernel: dKernel)
        if let dBias { Convolution.biasGradient(g, dOutput: dOutput, dBias: dBias, workers: workers, workspace: workspace) }
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let rows = sectionRows(g)
        let sections = (g.outRows + rows - 1) / rows
        // The number of partials in memory does not change the bits: they are added one by one.
        let group = min(frames * sections, largestGroup(workers: workers.count))
        let partials = workspace.take([group, Workspace.wholeLines(dKernel.count)])
        let stride = partials.shape[1]
        for start in Swift.stride(from: 0, to: frames * sections, by: group) {
            let count = min(group, frames * sections - start)
            workers.forEach(count) { index, _ in
                let frame = (start + index) / sections
                let first = (start + index) % sections * rows
                withUnsafePointer(to: g.kernelShapeForC) {
                    vc_depthwise_filter_gradient(
                        $0, input.base + frame * g.inputShape.count, dOutput.base + frame * g.outputShape.count, Int32(first),
                        Int32(min(g.outRows, first + rows)), partials.base + index * stride)
                }
            }
            workers.forEachRange(of: dKernel.count, size: 4096) { range, _ in
                for index in 0..<count {
                    vc_add(dKernel.base + range.lowerBound, partials.base + index * stride + range.lowerBound, range.count)
                }
            }
        }
    }

    /// The most scratch floats that the forward pass (or, with `gradients`, any of the passes) takes from the workspace; the
    /// bias's partial sums (a few kilobytes a frame) are not included.
    package static func scratchFloats(_ g: ConvolutionGeometry, workers: Int, gradients: Bool) -> Int {
        gradients ? largestGroup(workers: workers) * Workspace.wholeLines(g.kernelShape.count) : 0
    }

    private static func sectionRows(_ g: ConvolutionGeometry) -> Int { min(g.outRows, max(1, sectionPositions / g.outColumns)) }

    /// The most partial gradients in memory at once.
    private static func largestGroup(workers: Int) -> Int { max(16, 2 * workers) }

    /// Calls `body` with every frame and blocks of its rows.
    private static func forEachBlock(
        frames: Int, rows: Int, floatsPerRow: Int, _ workers: Workers, _ body: (_ frame: Int, _ rows: Range<Int>) -> Void
    ) {
        let step = min(rows, max(1, blockFloats / floatsPerRow))
        let blocks = (rows + step - 1) / step
        workers.forEach(frames * blocks) { block, _ in
            let first = block % blocks * step
            body(block / blocks, first..<min(rows, first + step))
        }
    }

    private static func check(_ g: ConvolutionGeometry, input: Tensor, output: Tensor, kernel: Tensor) -> Int {
        precondition(g.groups == g.channels && g.filters == g.channels, "a depthwise convolution of \(g)")
        precondition(kernel.count == g.kernelShape.count, "kernel \(kernel.shape) for \(g)")
        precondition(
            input.shape.rank == 4 && output.shape.rank == 4 && input.shape[0] == output.shape[0]
                && input.shape.dropFirst == g.inputShape && output.shape.dropFirst == g.outputShape,
            "maps \(input.shape) and \(output.shape) for \(g)")
        return input.shape[0]
    }
}
