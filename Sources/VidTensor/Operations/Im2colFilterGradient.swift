import CKernels

/// The filter gradient of the GEMM convolution: dKernel (taps x C / groups, K) += im2col(input)' dOutput, over all positions.
///
/// There are two ways to divide the work, chosen by the size of dKernel alone. Both add frame by frame:
/// - Many filters, small maps: a block is a panel of dKernel's rows, which goes through the frames in order and adds each
///   by GEMM (beta = 1). Nothing to merge.
/// - Few filters, large maps: a block is a section of one frame's positions, whose partial gradient of dKernel is
///   stored; the partials are then added in the order of frames and sections.
enum Im2colFilterGradient {
    /// The largest dKernel, in elements, for which partial gradients are faster (4 bytes each, a worker's L2).
    private static let smallKernel = 300_000
    /// Rows of dKernel in a panel. Taller panels are faster in OpenBLAS; shorter ones give more workers something to do.
    private static let panelRows = 288
    /// Positions of a section.
    private static let sectionPositions = 3136

    static func add(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        dKernel: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        if g.taps * g.filters <= smallKernel {
            addBySections(g, frames: frames, input: input, dOutput: dOutput, dKernel: dKernel, workers: workers, workspace: workspace)
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
        dKernel: UnsafeMutablePointer<Float>, workers: Workers, workspace: Workspace
    ) {
        let size = g.taps * g.filters
        let rows = min(g.outRows, max(1, sectionPositions / g.outColumns))
        let sections = (g.outRows + rows - 1) / rows
        // The number of partials in memory does not change the bits: they are added one by one.
        let group = min(frames * sections, largestGroup(workers: workers.count))
        let partials = workspace.take([group, Workspace.wholeLines(size)])
        let stride = partials.shape[1]
        let scratch = scratch(g, columns: g.taps, workers: workers, workspace: workspace)
        for start in Swift.stride(from: 0, to: frames * sections, by: group) {
            let count = min(group, frames * sections - start)
            workers.forEach(count) { index, worker in
                let frame = (start + index) / sections
                let first = (start + index) % sections * rows
                for group in 0..<g.groups {
                    accumulate(
                        g, group: group, rows: first..<min(g.outRows, first + rows), taps: 0..<g.taps,
                        input: input + frame * g.inputShape.count, dOutput: dOutput + frame * g.outputShape.count, overwrites: true,
                        into: partials.base + index * stride, matrix: scratch.base + worker * scratch.shape[1])
                }
            }
            workers.forEachRange(of: size, size: 4096) { range, _ in
                for index in 0..<count {
                    vc_add(dKernel + range.lowerBound, partials.base + index * stride + range.lowerBound, range.count)
                }
            }
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
        Workspace.wholeLines(Im2colConvolution.rowsPerBlock(g) * g.outColumns * columns)
    }

    /// The most partial gradients in memory at once.
    private static func largestGroup(workers: Int) -> Int { max(16, 2 * workers) }

    /// The most floats that `add` takes from the workspace.
    static func scratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        let size = g.taps * g.filters
        return size <= smallKernel
            ? largestGroup(workers: workers) * Workspace.wholeLines(size) + workers * matrixFloats(g, columns: g.taps)
            : workers * matrixFloats(g, columns: min(panelRows, g.taps))
    }
}
