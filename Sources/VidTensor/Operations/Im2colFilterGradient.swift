import CKernels

/// The filter gradient of the GEMM convolution: dKernel (taps x C / groups, K) += im2col(input)' dOutput, over all positions.
///
/// There are two ways to divide the work, chosen by the size of dKernel alone. Both add frame by frame:
/// - Many filters, small maps: a block is a panel of dKernel's rows, which goes through the frames in order and adds each
///   by GEMM (beta = 1). Nothing to merge.
/// - Few filters, large maps: a block is a section of one frame's positions, whose partial gradients are stored; the partials are
///   then added in the order of frames and sections.
enum Im2colFilterGradient {
    /// The largest dKernel, in elements, for which partial gradients are faster (4 bytes each, a worker's L2).
    private static let smallKernel = 300_000
    /// Rows of dKernel in a panel. Taller panels are faster in OpenBLAS; shorter ones give more workers something to do.
    private static let panelRows = 288
    /// Positions of a section.
    private static let sectionPositions = 3136
    /// Positions of a product with the input as it is, at most: the gradients of 64 filters there stay in a first-level cache.
    private static let piecePositions = 128

    /// Whether `add` computes the gradient of the bias, too, while it has dOutput in a cache.
    static func sumsBias(_ g: ConvolutionGeometry) -> Bool { g.taps * g.filters <= smallKernel }

    /// - Parameter dBias: nil if it is not wanted, and unless `sumsBias`.
    static func add(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        dKernel: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>?, workers: Workers, workspace: Workspace
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        if sumsBias(g) {
            addBySections(
                g, frames: frames, input: input, dOutput: dOutput, dKernel: dKernel, dBias: dBias, workers: workers, workspace: workspace)
        } else {
            addByPanels(g, frames: frames, input: input, dOutput: dOutput, dKernel: dKernel, workers: workers, workspace: workspace)
        }
    }

    private static func addByPanels(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        dKernel: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let scratch = scratch(g, columns: min(panelRows, g.taps), workers: workers, workspace: workspace)
        let panels = (g.taps + panelRows - 1) / panelRows
        workers.forEach(g.groups * panels) { block, worker in
            let first = block % panels * panelRows
            let taps = first..<min(g.taps, first + panelRows)
            for frame in 0..<frames {
                accumulate(
                    g, group: block / panels, rows: 0..<g.outRows, taps: taps, input: input + frame * g.inputShape.count,
                    dOutput: dOutput + frame * g.outputShape.count, overwrites: false, into: dKernel + taps.lowerBound * g.filters,
                    matrix: scratch.base + worker * scratch.shape[1])
            }
        }
    }

    private static func addBySections(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        dKernel: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>?, workers: Workers, workspace: Workspace
    ) {
        let size = g.taps * g.filters
        let rows = sectionRows(g)
        let sections = (g.outRows + rows - 1) / rows
        // The number of partials in memory does not change the bits: they are added one by one.
        let group = min(frames * sections, largestGroup(workers: workers.count))
        let partials = workspace.take([group, partialFloats(g)])
        let stride = partials.shape[1]
        let scratch = scratch(g, columns: g.taps, workers: workers, workspace: workspace)
        for start in Swift.stride(from: 0, to: frames * sections, by: group) {
            let count = min(group, frames * sections - start)
            workers.forEach(count) { index, worker in
                let frame = (start + index) / sections
                let first = (start + index) % sections * rows
                let range = first..<min(g.outRows, first + rows)
                let (source, gradient) = (input + frame * g.inputShape.count, dOutput + frame * g.outputShape.count)
                let (target, own) = (partials.base + index * stride, scratch.base + worker * scratch.shape[1])
                if readsInput(g) {
                    multiply(g, rows: range, input: source, dOutput: gradient, into: target, lines: own)
                } else {
                    for group in 0..<g.groups {
                        accumulate(
                            g, group: group, rows: range, taps: 0..<g.taps, input: source, dOutput: gradient, overwrites: true,
                            into: target, matrix: own)
                    }
                }
                if dBias != nil { sum(g, rows: range, gradient, into: target + Workspace.wholeLines(size)) }
            }
            workers.forEachRange(of: size, size: 4096) { range, _ in
                for index in 0..<count {
                    vc_add(dKernel + range.lowerBound, partials.base + index * stride + range.lowerBound, range.count)
                }
            }
            guard let dBias else { continue }
            for index in 0..<count { vc_add(dBias, partials.base + index * stride + Workspace.wholeLines(size), g.filters) }
        }
    }

    /// The floats of a section's partial gradients: of the kernel, and of the bias with the sums of some positions behind it.
    private static func partialFloats(_ g: ConvolutionGeometry) -> Int {
        Workspace.wholeLines(g.taps * g.filters) + 2 * Workspace.wholeLines(g.filters)
    }

    /// Whether a row of the input, transposed, is a factor as it is: neither in pieces, as with groups, nor with other filters than whole
    /// vectors. Of pointwise kernels OpenBLAS makes larger products.
    private static func readsInput(_ g: ConvolutionGeometry) -> Bool {
        g.groups == 1 && !g.isPointwise && g.filters % Int(vc_panel_columns) == 0
    }

    /// Writes to `target` (taps, K) the share of output rows `rows` of one frame, without the im2col matrix: a window is contiguous within a
    /// kernel row, and the next window a stride further.
    private static func multiply(
        _ g: ConvolutionGeometry, rows: Range<Int>, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        into target: UnsafeMutablePointer<Float>, lines scratch: UnsafeMutablePointer<Float>
    ) {
        let (first, line) = Im2colConvolution.lines(g, rows, input, scratch: scratch)
        let step = g.strideColumns * g.channels
        for (row, columns) in pieces(g, rows) {
            var product = vc_product(
                groups: g.kernelRows, rows: g.kernelColumns * g.channels, columns: g.filters, segments: 1, depth: columns.count,
                a: first + (row - rows.lowerBound) * g.strideRows * line + columns.lowerBound * step, a_group: line, a_row: 1,
                a_depth: step, a_segment: 0, b: dOutput + (row * g.outColumns + columns.lowerBound) * g.filters, b_depth: g.filters,
                b_panel: Int(vc_panel_columns), c: target, c_row: g.filters, adds: row > rows.lowerBound || columns.lowerBound > 0,
                bias: nil, adding: nil, activation: ActivationKind.linear.code)
            vc_matrix_product(&product)
        }
    }

    /// Writes to `target` (K) the sums of dOutput over output rows `rows` of one frame; the K floats behind it are scratch.
    private static func sum(
        _ g: ConvolutionGeometry, rows: Range<Int>, _ dOutput: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>
    ) {
        target.update(repeating: 0, count: g.filters)
        let part = target + Workspace.wholeLines(g.filters)
        for (row, columns) in pieces(g, rows) {
            vc_sum_positions(
                dOutput + (row * g.outColumns + columns.lowerBound) * g.filters, columns.count, Int32(g.filters), part)
            vc_add(target, part, g.filters)
        }
    }

    /// The positions of output rows, in pieces of nearly equal size.
    private static func pieces(_ g: ConvolutionGeometry, _ rows: Range<Int>) -> [(row: Int, columns: Range<Int>)] {
        let count = (g.outColumns + piecePositions - 1) / piecePositions
        let size = (g.outColumns + count - 1) / count
        return rows.flatMap { row in
            stride(from: 0, to: g.outColumns, by: size).map { (row, $0..<min(g.outColumns, $0 + size)) }
        }
    }

    /// Adds to `target` (taps.count, K), the rows `taps` of dKernel, a group's share of output rows `rows` of one frame;
    /// overwrites the group's columns if `overwrites`.
    private static func accumulate(
        _ g: ConvolutionGeometry, group: Int, rows: Range<Int>, taps: Range<Int>, input: UnsafePointer<Float>,
        dOutput: UnsafePointer<Float>, overwrites: Bool, into target: UnsafeMutablePointer<Float>, matrix: UnsafeMutablePointer<Float>
    ) {
        let step = Im2colConvolution.rowsPerBlock(g)
        let filter = group * g.groupFilters
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
            let last = min(rows.upperBound, first + step)
            let positions = (last - first) * g.outColumns
            var (a, lda) = (UnsafePointer(matrix), taps.count)
            if g.isPointwise {
                (a, lda) = (input + first * g.outColumns * g.channels + group * g.groupChannels + taps.lowerBound, g.channels)
            } else {
                Im2colConvolution.gather(g, group: group, input: input, rows: first..<last, taps: taps, into: matrix)
            }
            BLAS.gemm(
                transposeA: true, m: taps.count, n: g.groupFilters, k: positions, a: a, lda: lda,
                b: dOutput + first * g.outColumns * g.filters + filter, ldb: g.filters,
                beta: overwrites && first == rows.lowerBound ? 0 : 1, c: target + filter, ldc: g.filters)
        }
    }

    private static func scratch(_ g: ConvolutionGeometry, columns: Int, workers: Workers, workspace: Workspace) -> Tensor {
        workspace.take([workers.count, matrixFloats(g, columns: columns)])
    }

    private static func matrixFloats(_ g: ConvolutionGeometry, columns: Int) -> Int {
        if sumsBias(g), readsInput(g) { return Workspace.wholeLines(Im2colConvolution.lineFloats(g, rows: sectionRows(g))) }
        return Workspace.wholeLines(Im2colConvolution.rowsPerBlock(g) * g.outColumns * columns)
    }

    /// Output rows of a section.
    private static func sectionRows(_ g: ConvolutionGeometry) -> Int { min(g.outRows, max(1, sectionPositions / g.outColumns)) }

    /// The most partial gradients in memory at once.
    private static func largestGroup(workers: Int) -> Int { max(16, 2 * workers) }

    /// The most floats that `add` takes from the workspace.
    static func scratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        sumsBias(g)
            ? largestGroup(workers: workers) * partialFloats(g) + workers * matrixFloats(g, columns: g.taps)
            : workers * matrixFloats(g, columns: min(panelRows, g.taps))
    }
}
