import CKernels

/// The GEMM convolution: im2col of a block of output positions into a worker's scratch, times the kernel, then bias, sum
/// and activation while the block is in cache. The groups of channels take turns.
///
/// Blocks are whole output rows of one frame, about 400 positions: measured over VGG16 on a core with 1 MiB of L2 that is
/// within 2 % of the best of 100 to 3,000. The matrix is built and multiplied one kernel row at a time if a kernel row
/// is wide enough for OpenBLAS, so that it stays in cache.
enum Im2colConvolution {
    /// Output positions of a block, about.
    static let blockPositions = 400
    /// The fewest columns of the im2col matrix for which one GEMM is efficient.
    private static let panelColumns = 384

    /// Output rows of a block: at most about `blockPositions` positions, and blocks of nearly equal size.
    static func rowsPerBlock(_ g: ConvolutionGeometry) -> Int {
        let most = min(g.outRows, max(1, blockPositions / g.outColumns))
        let blocks = (g.outRows + most - 1) / most
        return (g.outRows + blocks - 1) / blocks
    }

    /// Columns of the im2col matrix built at a time: those of a kernel row, or all.
    private static func panel(_ g: ConvolutionGeometry) -> Int {
        let row = g.kernelColumns * g.groupChannels
        return row >= panelColumns ? row : g.taps
    }

    /// The last step for a block of outputs: a bias and a map of the output's shape are added, then comes an activation.
    struct Finish {
        var bias: UnsafePointer<Float>?
        var activation = ActivationKind.linear
        var adding: UnsafePointer<Float>?
    }

    /// Writes the columns `taps` of a group's im2col matrix of one frame for the output rows `rows`.
    static func gather(
        _ g: ConvolutionGeometry, group: Int, input: UnsafePointer<Float>, rows: Range<Int>, taps: Range<Int>,
        into matrix: UnsafeMutablePointer<Float>
    ) {
        let (first, last, k0, k1) = (Int32(rows.lowerBound), Int32(rows.upperBound), Int32(taps.lowerBound), Int32(taps.upperBound))
        withUnsafePointer(to: g.kernelShapeForC) {
            if g.groups == 1 {
                vc_im2col($0, input, first, last, k0, k1, matrix)
            } else {
                vc_im2col_group($0, Int32(group * g.groupChannels), Int32(g.groupChannels), input, first, last, k0, k1, matrix)
            }
        }
    }

    static func forward(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, kernel: UnsafePointer<Float>, finish: Finish = Finish(),
        output: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let (rows, panel) = (rowsPerBlock(g), panel(g))
        let blocks = (g.outRows + rows - 1) / rows
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let scratch = workspace.take([workers.count, forwardScratch(g, workers: 1)])
        workers.forEach(frames * blocks) { block, worker in
            let frame = block / blocks
            let first = block % blocks * rows
            let last = min(g.outRows, first + rows)
            let positions = (last - first) * g.outColumns
            let source = input + frame * g.inputShape.count
            let at = frame * g.outputShape.count + first * g.outColumns * g.filters
            let target = output + at
            for group in 0..<g.groups {
                multiply(
                    g, group: group, rows: first..<last, input: source, kernel: kernel + group * g.groupFilters, panel: panel,
                    matrix: scratch.base + worker * scratch.shape[1], into: target + group * g.groupFilters)
            }
            vc_finish_positions(
                finish.activation.code, positions, g.filters, finish.bias, finish.adding.map { $0 + at }, target)
        }
    }

    /// The outputs of some rows of one frame and one group, before the bias; `kernel` and `target` start at its first filter.
    private static func multiply(
        _ g: ConvolutionGeometry, group: Int, rows: Range<Int>, input: UnsafePointer<Float>, kernel: UnsafePointer<Float>, panel: Int,
        matrix: UnsafeMutablePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        let positions = rows.count * g.outColumns
        if g.isPointwise {
            BLAS.gemm(
                m: positions, n: g.groupFilters, k: g.groupChannels,
                a: input + rows.lowerBound * g.outColumns * g.channels + group * g.groupChannels, lda: g.channels, b: kernel,
                ldb: g.filters,
                c: target, ldc: g.filters)
            return
        }
        for k in stride(from: 0, to: g.taps, by: panel) {
            gather(g, group: group, input: input, rows: rows, taps: k..<k + panel, into: matrix)
            BLAS.gemm(
                m: positions, n: g.groupFilters, k: panel, a: matrix, lda: panel, b: kernel + k * g.filters, ldb: g.filters,
                beta: k == 0 ? 0 : 1, c: target, ldc: g.filters)
        }
    }

    static func inputGradient(
        _ g: ConvolutionGeometry, frames: Int, dOutput: UnsafePointer<Float>, kernel: UnsafePointer<Float>,
        dInput: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        guard let backward = g.inputGradient else {
            scatter(g, frames: frames, dOutput: dOutput, kernel: kernel, dInput: dInput, workers: workers, workspace: workspace)
            return
        }
        // dInput[i, j, c] = sum over taps (r, q) and k of dOutput[i + p - r, j + p - q, k] kernel[r, q, c, k].
        let taps = g.kernelRows * g.kernelColumns
        let size = g.groupChannels * g.filters
        let rotated = workspace.take([taps, g.groupFilters, g.channels]).base
        workers.forEach(taps) { tap, _ in
            for group in 0..<g.groups {
                vc_transpose(
                    g.groupChannels, g.groupFilters, kernel + tap * size + group * g.groupFilters, g.filters,
                    rotated + (taps - 1 - tap) * size + group * g.groupChannels, g.channels)
            }
        }
        forward(backward, frames: frames, input: dOutput, kernel: rotated, output: dInput, workers: workers, workspace: workspace)
    }

    /// The input gradient for any stride: dOutput times the transposed kernel is the gradient of the im2col matrix, whose
    /// elements are added to the input elements they were copied from. Windows overlap, so a frame is one block.
    private static func scatter(
        _ g: ConvolutionGeometry, frames: Int, dOutput: UnsafePointer<Float>, kernel: UnsafePointer<Float>,
        dInput: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let shape = g.kernelShapeForC
        let rows = rowsPerBlock(g)
        let scratch = workspace.take([workers.count, matrixFloats(rows * g.outColumns * g.taps)])
        workers.forEach(frames) { frame, worker in
            let source = dOutput + frame * g.outputShape.count
            let target = dInput + frame * g.inputShape.count
            let matrix = scratch.base + worker * scratch.shape[1]
            target.update(repeating: 0, count: g.inputShape.count)
            for first in stride(from: 0, to: g.outRows, by: rows) {
                let last = min(g.outRows, first + rows)
                for group in 0..<g.groups {
                    let filter = group * g.groupFilters
                    BLAS.gemm(
                        transposeB: true, m: (last - first) * g.outColumns, n: g.taps, k: g.groupFilters,
                        a: source + first * g.outColumns * g.filters + filter, lda: g.filters, b: kernel + filter, ldb: g.filters,
                        c: matrix,
                        ldc: g.taps)
                    withUnsafePointer(to: shape) {
                        if g.groups == 1 {
                            vc_col2im_add($0, matrix, Int32(first), Int32(last), target)
                        } else {
                            vc_col2im_add_group(
                                $0, Int32(group * g.groupChannels), Int32(g.groupChannels), matrix, Int32(first), Int32(last), target)
                        }
                    }
                }
            }
        }
    }

    /// Floats of a worker's part of the im2col matrix, rounded up to whole cache lines so that workers share none.
    static func matrixFloats(_ count: Int) -> Int { (count + 15) / 16 * 16 }

    /// Floats that `forward` takes from the workspace.
    static func forwardScratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        g.isPointwise ? 0 : workers * matrixFloats(rowsPerBlock(g) * g.outColumns * panel(g))
    }

    /// Floats that `inputGradient` takes from the workspace.
    static func inputGradientScratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        guard let backward = g.inputGradient else { return workers * matrixFloats(rowsPerBlock(g) * g.outColumns * g.taps) }
        return matrixFloats(g.kernelShape.count) + forwardScratch(backward, workers: workers)
    }
}
