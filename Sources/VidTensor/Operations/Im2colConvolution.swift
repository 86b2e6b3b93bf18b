import CKernels

/// The GEMM convolution: the windows of a block of output positions, as the rows of a matrix, times the packed kernel, with bias,
/// sum and activation while the results are in registers or cache. Blocks are whole output rows of one frame, or any positions of
/// all frames where the input itself is the matrix.
///
/// Within a kernel row a window is contiguous in the input, and the next window a stride further. So a row of outputs is a product
/// of overlapping rows of the input as it is; where zeros surround the map, of a copy with zeros. With groups, whose windows are
/// in pieces, and in some gradients the matrix is written (im2col).
enum Im2colConvolution {
    /// Output positions of a block, about: their windows stay in a core's second-level cache.
    private static let fewestPositions = 200
    /// Output positions of a block with few products, so that a block is worth handing out.
    private static let mostPositions = 1600
    private static let blockProducts = 2_000_000
    /// Output positions of a block of a gradient, about: OpenBLAS packs both matrices.
    private static let gradientPositions = 400
    /// Output rows of a gradient's block.
    static func rowsPerBlock(_ g: ConvolutionGeometry) -> Int { rows(g, positions: gradientPositions) }

    /// Output rows of blocks of nearly equal size, of at most about so many positions.
    private static func rows(_ g: ConvolutionGeometry, positions: Int) -> Int {
        let most = min(g.outRows, max(1, positions / g.outColumns))
        let blocks = (g.outRows + most - 1) / most
        return (g.outRows + blocks - 1) / blocks
    }

    private static func positionsPerBlock(_ g: ConvolutionGeometry) -> Int {
        max(fewestPositions, min(mostPositions, blockProducts / (g.taps * g.filters)))
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
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, filters: PackedFilters, finish: Finish = Finish(),
        output: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        if g.isPointwise {
            workers.forEachRange(of: frames * g.positions, size: positionsPerBlock(g)) { positions, _ in
                pointwiseBlock(g, positions, input, filters, finish, output)
            }
            return
        }
        let rows = rows(g, positions: positionsPerBlock(g))
        let blocks = (g.outRows + rows - 1) / rows
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let scratch = workspace.take([workers.count, forwardScratch(g, workers: 1)])
        workers.forEach(frames * blocks) { block, worker in
            let frame = block / blocks
            let range = block % blocks * rows..<min(g.outRows, (block % blocks + 1) * rows)
            let (source, at) = (input + frame * g.inputShape.count, frame * g.outputShape.count)
            let own = scratch.base + worker * scratch.shape[1]
            if g.groups == 1 {
                multiplyRows(g, range, source, filters, finish, at: at, output, scratch: own)
            } else {
                multiplyGathered(g, range, source, filters, finish, at: at, output, matrix: own)
            }
        }
    }

    /// Some positions of a pointwise convolution, block by block.
    static func pointwise(
        _ g: ConvolutionGeometry, _ positions: Range<Int>, _ input: UnsafePointer<Float>, _ filters: PackedFilters, _ finish: Finish,
        _ output: UnsafeMutablePointer<Float>
    ) {
        for first in stride(from: positions.lowerBound, to: positions.upperBound, by: positionsPerBlock(g)) {
            pointwiseBlock(g, first..<min(positions.upperBound, first + positionsPerBlock(g)), input, filters, finish, output)
        }
    }

    private static func pointwiseBlock(
        _ g: ConvolutionGeometry, _ positions: Range<Int>, _ input: UnsafePointer<Float>, _ filters: PackedFilters, _ finish: Finish,
        _ output: UnsafeMutablePointer<Float>
    ) {
        for group in 0..<g.groups {
            let windows = Windows(
                count: positions.count, first: input + positions.lowerBound * g.channels + group * g.groupChannels, step: g.channels,
                segments: 1, segmentStep: 0)
            multiply(g, windows, group: group, filters, finish, at: positions.lowerBound * g.filters, output)
        }
    }

    /// The windows of some output positions: each a number of contiguous segments.
    private struct Windows {
        var rows = 1
        /// Floats from a row of windows to the next.
        var rowStep = 0
        /// The windows of a row.
        let count: Int
        let first: UnsafePointer<Float>
        /// Floats from a window to the next.
        let step: Int
        let segments: Int
        /// Floats from a segment of a window to the next.
        let segmentStep: Int
    }

    /// The outputs of some windows and one group, from the float `at` of the output on.
    private static func multiply(
        _ g: ConvolutionGeometry, _ windows: Windows, group: Int, _ filters: PackedFilters, _ finish: Finish, at: Int,
        _ output: UnsafeMutablePointer<Float>
    ) {
        let first = group * g.groupFilters
        var product = vc_product(
            groups: windows.rows, rows: windows.count, columns: g.groupFilters, segments: windows.segments,
            depth: g.taps / windows.segments, a: windows.first, a_group: windows.rowStep, a_row: windows.step, a_depth: 1,
            a_segment: windows.segmentStep, b: filters.group(group), b_depth: PackedFilters.panelColumns,
            b_panel: filters.panelFloats, c: output + at + first, c_row: g.filters, adds: false, bias: finish.bias.map { $0 + first },
            adding: finish.adding.map { $0 + at + first }, activation: finish.activation.code)
        vc_matrix_product(&product)
    }

    /// The output rows `rows` of a frame, whose outputs begin at the float `at`.
    private static func multiplyRows(
        _ g: ConvolutionGeometry, _ rows: Range<Int>, _ input: UnsafePointer<Float>, _ filters: PackedFilters, _ finish: Finish, at: Int,
        _ output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let (first, line) = lines(g, rows, input, scratch: scratch)
        let windows = Windows(
            rows: rows.count, rowStep: g.strideRows * line, count: g.outColumns, first: first, step: g.strideColumns * g.channels,
            segments: g.kernelRows, segmentStep: line)
        multiply(g, windows, group: 0, filters, finish, at: at + rows.lowerBound * g.outColumns * g.filters, output)
    }

    /// The input rows that the output rows `rows` see, from the first element of the first window on, and the floats from one to the
    /// next: those of the map, or where windows reach over its edges a copy in `scratch`.
    static func lines(
        _ g: ConvolutionGeometry, _ rows: Range<Int>, _ input: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) -> (first: UnsafePointer<Float>, line: Int) {
        guard isPadded(g) else {
            return (input + rows.lowerBound * g.strideRows * g.columns * g.channels, g.columns * g.channels)
        }
        copy(g, rows, input, into: scratch)
        return (UnsafePointer(scratch), paddedLine(g))
    }

    /// Floats of scratch for the `lines` of so many output rows.
    static func lineFloats(_ g: ConvolutionGeometry, rows: Int) -> Int {
        isPadded(g) ? ((rows - 1) * g.strideRows + g.kernelRows) * paddedLine(g) : 0
    }

    /// Returns true if windows reach over the map's edges.
    private static func isPadded(_ g: ConvolutionGeometry) -> Bool {
        g.padTop > 0 || g.padLeft > 0 || (g.outRows - 1) * g.strideRows + g.kernelRows > g.rows
            || (g.outColumns - 1) * g.strideColumns + g.kernelColumns > g.columns
    }

    /// Floats of a row of the input with the zeros beside it.
    private static func paddedLine(_ g: ConvolutionGeometry) -> Int {
        ((g.outColumns - 1) * g.strideColumns + g.kernelColumns) * g.channels
    }

    /// Copies what the output rows `rows` see of the input, with zeros around it.
    private static func copy(
        _ g: ConvolutionGeometry, _ rows: Range<Int>, _ input: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        let line = paddedLine(g)
        let left = min(line, g.padLeft * g.channels)
        let inside = max(0, min(line - left, g.columns * g.channels))
        let top = rows.lowerBound * g.strideRows - g.padTop
        for row in 0..<(rows.count - 1) * g.strideRows + g.kernelRows {
            let to = target + row * line
            guard (0..<g.rows).contains(top + row) else {
                to.update(repeating: 0, count: line)
                continue
            }
            to.update(repeating: 0, count: left)
            (to + left).update(from: input + (top + row) * g.columns * g.channels, count: inside)
            (to + left + inside).update(repeating: 0, count: line - left - inside)
        }
    }

    /// As `multiplyRows`, group by group from the written matrix.
    private static func multiplyGathered(
        _ g: ConvolutionGeometry, _ rows: Range<Int>, _ input: UnsafePointer<Float>, _ filters: PackedFilters, _ finish: Finish, at: Int,
        _ output: UnsafeMutablePointer<Float>, matrix: UnsafeMutablePointer<Float>
    ) {
        for group in 0..<g.groups {
            gather(g, group: group, input: input, rows: rows, taps: 0..<g.taps, into: matrix)
            let windows = Windows(count: rows.count * g.outColumns, first: matrix, step: g.taps, segments: 1, segmentStep: 0)
            multiply(g, windows, group: group, filters, finish, at: at + rows.lowerBound * g.outColumns * g.filters, output)
        }
    }

    static func inputGradient(
        _ g: ConvolutionGeometry, frames: Int, dOutput: UnsafePointer<Float>, kernel: Tensor,
        dInput: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        guard let backward = g.inputGradient else {
            scatter(g, frames: frames, dOutput: dOutput, kernel: kernel.base, dInput: dInput, workers: workers, workspace: workspace)
            return
        }
        // dInput[i, j, c] = sum over taps (r, q) and k of dOutput[i + p - r, j + p - q, k] kernel[r, q, c, k].
        let filters = PackedFilters(kernelShape: backward.kernelShape, groups: g.groups, in: workspace)
        filters.update(turning: kernel, workers: workers)
        forward(backward, frames: frames, input: dOutput, filters: filters, output: dInput, workers: workers, workspace: workspace)
    }

    /// The input gradient for any stride: dOutput times the transposed kernel is the gradient of the im2col matrix, whose
    /// elements are added to the input elements they were copied from. Windows overlap, so a frame is one block.
    private static func scatter(
        _ g: ConvolutionGeometry, frames: Int, dOutput: UnsafePointer<Float>, kernel: UnsafePointer<Float>,
        dInput: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let shape = g.kernelShapeForC
        let rows = rowsPerBlock(g)
        let scratch = workspace.take([workers.count, Workspace.wholeLines(rows * g.outColumns * g.taps)])
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

    /// Floats that `forward` takes from the workspace.
    static func forwardScratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        if g.isPointwise || (g.groups == 1 && !isPadded(g)) { return 0 }
        let rows = rows(g, positions: positionsPerBlock(g))
        let floats = g.groups == 1 ? lineFloats(g, rows: rows) : rows * g.outColumns * g.taps
        return workers * Workspace.wholeLines(floats)
    }

    /// Floats that `inputGradient` takes from the workspace.
    static func inputGradientScratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        guard let backward = g.inputGradient else { return workers * Workspace.wholeLines(rowsPerBlock(g) * g.outColumns * g.taps) }
        return Workspace.wholeLines(PackedFilters.floats(backward.kernelShape, groups: g.groups))
            + forwardScratch(backward, workers: workers)
    }
}
