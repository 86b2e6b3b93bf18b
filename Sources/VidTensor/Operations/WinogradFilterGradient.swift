import CKernels

/// The filter gradient of the Winograd convolution, the adjoint of its forward pass: V = B'dB of the input and dM = A dY A'
/// of the output's gradient, dU = V' dM summed over tiles, and dKernel += G' dU G.
///
/// Frames are taken in groups of `frameGroup`. The tiles of a group are processed in sections: the workers
/// transform a section, then divide its multiplications by frequency and panel. Each element of dU is summed over the
/// tiles in one fixed order; there are no partial sums to merge.
///
/// One of dM's 36 values is the sum of the tile (both of its points are 1), so the bias's gradient is a sixteenth of the work.
enum WinogradFilterGradient {
    /// Frames of a group.
    static let frameGroup = 8
    /// The size of a section's V and dM, 144 (C + K) bytes a tile: less than a processor's part of the third-level cache.
    private static let sectionBytes = 4 << 20
    /// The fewest tiles of a section: every section reads and writes all of dU, which is too large for the caches with more than
    /// `fewFilters` channels x filters.
    private static let (fewestTiles, fewestOfMany, fewFilters) = (96, 392, 128 * 128)
    /// Panels of filters in a block of multiplications.
    private static let panelsAtOnce = 2

    /// One section's matrices: V, dM and the sums.
    private struct Matrices {
        let v: WinogradMatrices
        let dm: WinogradMatrices
        let du: WinogradMatrices
        let vBase: UnsafeMutablePointer<Float>
        let dmBase: UnsafeMutablePointer<Float>
        let duBase: UnsafeMutablePointer<Float>
        /// A section's gradient of the bias.
        let biasPart: UnsafeMutablePointer<Float>
    }

    /// The frequency of dM that holds the tiles' sums.
    private static let sumFrequency = 7

    static func add(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        dKernel: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>?, workers: Workers, workspace: Workspace
    ) {
        precondition(WinogradConvolution.supports(g), "Winograd convolution of \(g)")
        for first in stride(from: 0, to: frames, by: frameGroup) {
            let mark = workspace.mark
            let count = min(frameGroup, frames - first)
            addGroup(
                g, frames: count, input: input + first * g.inputShape.count, dOutput: dOutput + first * g.outputShape.count,
                dKernel: dKernel, dBias: dBias, workers, workspace)
            workspace.release(to: mark)
        }
    }

    private static func addGroup(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        dKernel: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>?, _ workers: Workers, _ workspace: Workspace
    ) {
        let total = frames * WinogradConvolution.tiles(g)
        let size = sectionTiles(g, total)
        let v = WinogradMatrices.summed(rows: size, columns: g.channels)
        let dm = WinogradMatrices.right(rows: size, columns: g.filters)
        let du = WinogradMatrices(rows: g.channels, columns: g.filters)
        let matrices = Matrices(
            v: v, dm: dm, du: du, vBase: workspace.take([v.floats]).base, dmBase: workspace.take([dm.floats]).base,
            duBase: workspace.take([du.floats]).base, biasPart: workspace.take([dm.columns]).base)
        let patch = patchFloats(g)
        let patches = workspace.take([workers.count, patch]).base
        let shares = (du.panels + panelsAtOnce - 1) / panelsAtOnce
        for start in stride(from: 0, to: total, by: size) {
            let count = min(size, total - start)
            workers.forEachRange(of: count, size: WinogradConvolution.transformTiles) { rows, worker in
                let tiles = start + rows.lowerBound..<start + rows.upperBound
                let patch = patches + worker * patch
                WinogradConvolution.transformInput(g, input, tiles, v, at: rows.lowerBound, matrices.vBase, nil, patch)
                transformGradient(g, dOutput, tiles, dm, at: rows.lowerBound, matrices.dmBase, patch)
            }
            workers.forEach(WinogradMatrices.frequencies * shares) { block, _ in
                let first = block % shares * panelsAtOnce
                for panel in first..<min(du.panels, first + panelsAtOnce) {
                    multiply(g, matrices, frequency: block / shares, panel: panel, tiles: count, adds: start > 0)
                    if let dBias, block / shares == sumFrequency { addSums(g, matrices, panel: panel, tiles: count, dBias) }
                }
            }
        }
        workers.forEachRange(of: g.channels, size: max(1, 8192 / g.filters)) { rows, _ in
            var layout = du.layoutForC
            vc_winograd_filter_adjoint(&layout, matrices.duBase, Int32(g.filters), Int32(rows.lowerBound), Int32(rows.upperBound), dKernel)
        }
    }

    /// Tiles in a section, for `total` tiles in sections of nearly equal size.
    private static func sectionTiles(_ g: ConvolutionGeometry, _ total: Int) -> Int {
        let most = largestSection(g)
        let sections = (total + most - 1) / most
        return (total + sections - 1) / sections
    }

    private static func largestSection(_ g: ConvolutionGeometry) -> Int {
        let fewest = g.channels * g.filters <= fewFilters ? fewestTiles : fewestOfMany
        return max(fewest, sectionBytes / (4 * WinogradMatrices.frequencies * (g.channels + g.filters)))
    }

    /// A worker's scratch for tiles at the edge.
    private static func patchFloats(_ g: ConvolutionGeometry) -> Int {
        Workspace.wholeLines(max(36 * g.channels, 16 * g.filters))
    }

    /// The most floats that `add` takes from the workspace.
    static func scratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        let total = frameGroup * WinogradConvolution.tiles(g)
        let rows = min(total, largestSection(g))
        let (v, dm) = (WinogradMatrices.summed(rows: rows, columns: g.channels), WinogradMatrices.right(rows: rows, columns: g.filters))
        return v.floats + dm.floats + WinogradMatrices(rows: g.channels, columns: g.filters).floats + dm.columns
            + workers * patchFloats(g)
    }

    /// Computes dM of `tiles` into the rows from `row` on.
    private static func transformGradient(
        _ g: ConvolutionGeometry, _ dOutput: UnsafePointer<Float>, _ tiles: Range<Int>, _ dm: WinogradMatrices, at row: Int,
        _ dmBase: UnsafeMutablePointer<Float>, _ patch: UnsafeMutablePointer<Float>
    ) {
        var map = vc_winograd_map(rows: Int32(g.rows), columns: Int32(g.columns), channels: Int32(g.filters))
        var layout = dm.layoutForC
        vc_winograd_output_adjoint(&map, dOutput, tiles.lowerBound, Int32(tiles.count), &layout, Int32(row), dmBase, patch)
    }

    /// dBias += the sums over the tiles, for one panel of filters.
    private static func addSums(
        _ g: ConvolutionGeometry, _ matrices: Matrices, panel: Int, tiles: Int, _ dBias: UnsafeMutablePointer<Float>
    ) {
        let (width, first) = (matrices.du.width(panel), panel * matrices.du.panel)
        for column in stride(from: first, to: first + width, by: matrices.dm.panel) {
            let sums = matrices.dmBase + matrices.dm.offset(sumFrequency, column / matrices.dm.panel)
            vc_sum_positions(sums, tiles, Int32(matrices.dm.panel), matrices.biasPart + column)
        }
        vc_add(dBias + first, matrices.biasPart + first, min(width, g.filters - first))
    }

    /// dU (+)= V' dM of one frequency and one panel of filters, over the first `tiles` rows.
    private static func multiply(
        _ g: ConvolutionGeometry, _ matrices: Matrices, frequency: Int, panel: Int, tiles: Int, adds: Bool
    ) {
        let (v, dm, du) = (matrices.v, matrices.dm, matrices.du)
        let filters = du.width(panel)
        for rows in 0..<v.panels {
            let (first, width) = (rows * v.panel, v.width(rows))
            var product = vc_product(
                groups: 1, rows: min(width, g.channels - first), columns: filters, segments: 1, depth: tiles,
                a: matrices.vBase + v.offset(frequency, rows), a_group: 0, a_row: 1, a_depth: width, a_segment: 0,
                b: matrices.dmBase + dm.offset(frequency, panel * (du.panel / dm.panel)), b_depth: dm.panel, b_panel: dm.panel * dm.rows,
                c: matrices.duBase + du.offset(frequency, panel) + first * filters, c_row: filters, adds: adds, bias: nil, adding: nil,
                activation: Int32(VC_LINEAR))
            vc_matrix_product(&product)
        }
    }
}
