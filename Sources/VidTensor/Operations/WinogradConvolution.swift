import CKernels

/// The Winograd convolution F(4x4, 3x3): transform a block of tiles, multiply it by the transformed filters frequency by
/// frequency, transform back with bias and ReLU (and 2x2 max pooling) while it is in cache.
///
/// There are two ways to divide the work, chosen by the layer's channels and filters alone:
/// - Few: one worker takes a block of tiles from input to output. Its V and M, which share their memory, stay in or near its
///   second-level cache, and the filters come from the third one.
/// - Many: a section of tiles goes through three passes, whose multiplications are divided by frequency and panel,
///   so that the filters (38 MB for 512 x 512) are read once per section and any number of workers has something to do.
///
/// An output whose 3x3 inputs are zero in all channels is exactly the bias, as by im2col: the input transform notes such
/// patches, and the output transform drops what rounding left there.
///
/// A tile's bits depend neither on the block it is in nor on the frames around it: its channels are summed in the same
/// order wherever its row is.
enum WinogradConvolution {
    /// The most channels x filters that are few: with them U takes 9 MB.
    static let fewFilters = 256 * 256
    /// Tiles of a worker's block at most: with 64 to 256 channels V and M take 0.7 to 2.7 MB. Measured 12 to 144 over VGG16: with fewer
    /// the filters come too often.
    private static let blockTiles = 72
    /// Tiles of a section at most: V and M of 512 channels take 19 MB each.
    private static let sectionTiles = 264
    /// Blocks and sections are multiples of this, of the rows that the tiles of a product have.
    private static let tileUnit = 24
    /// Panels of filters in one piece of a section's work.
    private static let panelsAtOnce = 4

    /// The destination of the results.
    struct Target {
        let output: UnsafeMutablePointer<Float>
        let epilogue: Epilogue
    }

    /// The last step before the results are written.
    enum Epilogue {
        case biased(UnsafePointer<Float>?, relu: Bool)
        /// 2x2 max pooling at the end. The map before it goes to `whole`, if that is wanted.
        case pooled(UnsafePointer<Float>?, relu: Bool, whole: UnsafeMutablePointer<Float>?)
        case plain
        /// Zero where a map of the output's shape is not positive.
        case gated(UnsafePointer<Float>)
    }

    /// Returns true if the layer can be computed by this convolution.
    static func supports(_ g: ConvolutionGeometry) -> Bool {
        g.groups == 1 && g.kernelRows == 3 && g.kernelColumns == 3 && g.strideRows == 1 && g.strideColumns == 1 && g.padTop == 1
            && g.padLeft == 1
            && g.outRows == g.rows && g.outColumns == g.columns
    }

    /// Tiles of one frame.
    static func tiles(_ g: ConvolutionGeometry) -> Int { (g.rows + 3) / 4 * ((g.columns + 3) / 4) }

    /// `g` is the geometry that `filters` were made for.
    static func forward(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, filters: WinogradFilters, target: Target, workers: Workers,
        workspace: Workspace
    ) {
        precondition(supports(g), "Winograd convolution of \(g)")
        precondition(filters.channels == g.channels && filters.filters == g.filters, "filters of another layer for \(g)")
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        if g.channels * g.filters <= fewFilters {
            forwardByBlocks(g, frames, input, filters, target, workers, workspace)
        } else {
            forwardBySections(g, frames, input, filters, target, workers, workspace)
        }
    }

    /// The most floats that `forward` takes from the workspace.
    static func scratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        if g.channels * g.filters <= fewFilters {
            let matrices = WinogradMatrices.together(rows: blockTiles, channels: g.channels, filters: g.filters).floats
            return workers * (matrices + zerosFloats(blockTiles) + spareFloats(g))
        }
        let matrices =
            WinogradMatrices.whole(rows: sectionTiles, columns: g.channels).floats
            + WinogradMatrices(rows: sectionTiles, columns: g.filters).floats
        return matrices + zerosFloats(sectionTiles) + workers * spareFloats(g)
    }

    private static func forwardByBlocks(
        _ g: ConvolutionGeometry, _ frames: Int, _ input: UnsafePointer<Float>, _ filters: WinogradFilters, _ target: Target,
        _ workers: Workers, _ workspace: Workspace
    ) {
        let total = frames * tiles(g)
        // Few tiles make smaller blocks, so that every worker has one.
        let share = (total + workers.count - 1) / workers.count
        let size = min(blockTiles, max(1, (share + tileUnit - 1) / tileUnit) * tileUnit)
        let (v, m, floats) = WinogradMatrices.together(rows: size, channels: g.channels, filters: g.filters)
        let scratch = workspace.take([workers.count, floats + zerosFloats(size) + spareFloats(g)])
        workers.forEachRange(of: total, size: size) { range, worker in
            let mBase = scratch.base + worker * scratch.shape[1]
            let vBase = mBase + m.stride
            let zeros = zeros(at: mBase + floats, rows: size)
            let spare = mBase + floats + zerosFloats(size)
            transformInput(g, input, range, v, at: 0, vBase, zeros, spare)
            for frequency in 0..<WinogradMatrices.frequencies {
                multiply(frequency, panels: 0..<m.panels, rows: range.count, vBase, v, filters, mBase, m)
            }
            transformOutput(g, mBase, m, at: 0, zeros, range, target, spare)
        }
    }

    private static func forwardBySections(
        _ g: ConvolutionGeometry, _ frames: Int, _ input: UnsafePointer<Float>, _ filters: WinogradFilters, _ target: Target,
        _ workers: Workers, _ workspace: Workspace
    ) {
        let total = frames * tiles(g)
        let sections = (total + sectionTiles - 1) / sectionTiles
        let size = ((total + sections - 1) / sections + tileUnit - 1) / tileUnit * tileUnit
        let spares = workspace.take([workers.count, spareFloats(g)])
        let v = WinogradMatrices.whole(rows: size, columns: g.channels)
        let m = WinogradMatrices(rows: size, columns: g.filters)
        let vBase = workspace.take([v.floats]).base
        let mBase = workspace.take([m.floats]).base
        let zeros = zeros(at: workspace.take([zerosFloats(size)]).base, rows: size)
        let shares = (m.panels + panelsAtOnce - 1) / panelsAtOnce
        for start in stride(from: 0, to: total, by: size) {
            let count = min(size, total - start)
            workers.forEachRange(of: count, size: transformTiles) { range, worker in
                let tiles = start + range.lowerBound..<start + range.upperBound
                transformInput(g, input, tiles, v, at: range.lowerBound, vBase, zeros, spares.base + worker * spares.shape[1])
            }
            workers.forEach(WinogradMatrices.frequencies * shares) { block, _ in
                let first = block % shares * panelsAtOnce
                let panels = first..<min(m.panels, first + panelsAtOnce)
                multiply(block / shares, panels: panels, rows: count, vBase, v, filters, mBase, m)
            }
            workers.forEachRange(of: count, size: transformTiles) { range, worker in
                let tiles = start + range.lowerBound..<start + range.upperBound
                transformOutput(g, mBase, m, at: range.lowerBound, zeros, tiles, target, spares.base + worker * spares.shape[1])
            }
        }
    }

    /// Tiles in a block of a transform.
    static let transformTiles = 8

    /// Floats of a worker's scratch line, which stands for positions outside the map, in whole cache lines.
    static func spareFloats(_ g: ConvolutionGeometry) -> Int { Workspace.wholeLines(max(g.channels, g.filters)) }

    /// Floats that hold the zero patches of `rows` tiles, in whole cache lines.
    private static func zerosFloats(_ rows: Int) -> Int {
        Workspace.wholeLines((rows * MemoryLayout<vc_winograd_patches>.stride + 3) / MemoryLayout<Float>.stride)
    }

    private static func zeros(at base: UnsafeMutablePointer<Float>, rows: Int) -> UnsafeMutablePointer<vc_winograd_patches> {
        UnsafeMutableRawPointer(base).bindMemory(to: vc_winograd_patches.self, capacity: rows)
    }

    /// Computes V of `tiles` into the rows from `row` on, and the tiles' zero patches if `zeros` is given.
    static func transformInput(
        _ g: ConvolutionGeometry, _ input: UnsafePointer<Float>, _ tiles: Range<Int>, _ v: WinogradMatrices, at row: Int,
        _ vBase: UnsafeMutablePointer<Float>, _ zeros: UnsafeMutablePointer<vc_winograd_patches>?, _ spare: UnsafeMutablePointer<Float>
    ) {
        var map = vc_winograd_map(rows: Int32(g.rows), columns: Int32(g.columns), channels: Int32(g.channels))
        var layout = v.layoutForC
        vc_winograd_input(&map, input, tiles.lowerBound, Int32(tiles.count), &layout, Int32(row), vBase, zeros, spare)
    }

    /// M = V U of one frequency, for the first `rows` rows and some panels of filters.
    private static func multiply(
        _ frequency: Int, panels: Range<Int>, rows: Int, _ vBase: UnsafePointer<Float>, _ v: WinogradMatrices, _ filters: WinogradFilters,
        _ mBase: UnsafeMutablePointer<Float>, _ m: WinogradMatrices
    ) {
        for panel in panels {
            let width = m.width(panel)
            var product = vc_product(
                groups: 1, rows: rows, columns: width, segments: 1, depth: filters.channels, a: vBase + v.offset(frequency, 0),
                a_group: 0, a_row: v.columns, a_depth: 1, a_segment: 0,
                b: filters.base + filters.layout.offset(frequency, panel * (m.panel / filters.layout.panel)),
                b_depth: filters.layout.panel, b_panel: filters.layout.panel * filters.channels, c: mBase + m.offset(frequency, panel),
                c_row: width, adds: false,
                bias: nil, adding: nil, activation: Int32(VC_LINEAR))
            vc_matrix_product(&product)
        }
    }

    /// Computes the outputs of `tiles` from the rows of M and of the zero patches from `row` on.
    private static func transformOutput(
        _ g: ConvolutionGeometry, _ mBase: UnsafePointer<Float>, _ m: WinogradMatrices, at row: Int,
        _ zeros: UnsafePointer<vc_winograd_patches>, _ tiles: Range<Int>, _ target: Target, _ spare: UnsafeMutablePointer<Float>
    ) {
        var map = vc_winograd_map(rows: Int32(g.rows), columns: Int32(g.columns), channels: Int32(g.filters))
        var layout = m.layoutForC
        let (row, first, count) = (Int32(row), tiles.lowerBound, Int32(tiles.count))
        let output = target.output
        switch target.epilogue {
        case .biased(let bias, let relu): vc_winograd_output(&map, &layout, mBase, zeros, row, first, count, bias, relu, output, spare)
        case .pooled(let bias, let relu, let whole):
            vc_winograd_output_pooled(&map, &layout, mBase, zeros, row, first, count, bias, relu, whole, output, spare)
        case .plain: vc_winograd_output(&map, &layout, mBase, zeros, row, first, count, nil, false, output, spare)
        case .gated(let gate): vc_winograd_output_gated(&map, &layout, mBase, zeros, row, first, count, gate, output, spare)
        }
    }
}
