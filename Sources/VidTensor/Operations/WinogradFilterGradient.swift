import CKernels

/// The filter gradient of the Winograd convolution, the adjoint of its forward pass: V = B'dB of the input and dM = A dY A'
/// of the output's gradient, dU = V' dM summed over tiles, and dKernel += G' dU G.
///
/// Frames are taken in groups of `frameGroup`. The tiles of a group are divided into lanes, in their order. Each element of dU is summed
/// over the tiles of a lane in their order, and the lanes are added to dKernel in theirs. A lane is processed in sections, in one of two
/// ways, which give the same bits:
/// - Apart: a worker takes a lane to its end. Its V and dM stay in its processor's caches.
/// - Together, where there are too few lanes for the workers: all workers transform a section, then divide its products by frequency
///   and panel. Half of what a worker reads comes from the caches of other processors.
///
/// One of dM's 36 values is the sum of the tile (both of its points are 1), so the bias's gradient is a sixteenth of the work.
enum WinogradFilterGradient {
    /// Frames of a group.
    static let frameGroup = 8
    /// Tiles of a lane, about, unless that makes too many lanes. Every lane writes and reads a dU.
    private static let (laneTiles, mostLanes) = (784, 32)
    /// The size of a section's V and dM, 144 (C + K) bytes a tile: less than a processor's part of the third-level cache.
    private static let sectionBytes = 4 << 20
    /// The fewest tiles of a section that is processed apart; together, with at most `tiny` channels x filters; and with more, whose dU
    /// does not stay in the caches.
    private static let (fewestApart, fewestTogether, fewestOfMany, tiny) = (48, 96, 392, 128 * 128)
    /// Panels of filters in a block of multiplications.
    fileprivate static let panelsAtOnce = 2
    /// Tiles whose sums are added to the gradient of the bias at once; all sections but a lane's last are multiples of it.
    fileprivate static let summedTiles = WinogradConvolution.transformTiles
    /// The frequency of dM that holds the tiles' sums.
    fileprivate static let sumFrequency = 7

    /// The division of a group into lanes, and of a lane into sections.
    fileprivate struct Division {
        let lanes: Int
        let isApart: Bool
        /// Tiles of a lane and of a section, except the last ones.
        let lane, section: Int
        /// The matrices of a section, and the sums of a lane.
        let v, dm, du: WinogradMatrices

        init(_ g: ConvolutionGeometry, tiles: Int, workers: Int) {
            let areFew = g.channels * g.filters <= WinogradConvolution.fewFilters
            lanes = areFew ? min(mostLanes, max(1, (tiles + laneTiles / 2) / laneTiles)) : 1
            lane = (tiles + lanes - 1) / lanes
            // At least three quarters of the workers have a lane at any time.
            isApart = lanes > 1 && 4 * lanes >= 3 * ((lanes + workers - 1) / workers) * workers
            let fewest = isApart ? fewestApart : g.channels * g.filters <= tiny ? fewestTogether : fewestOfMany
            let fitting = sectionBytes / (4 * WinogradMatrices.frequencies * (g.channels + g.filters))
            let most = max(fewest, fitting / summedTiles * summedTiles)
            let sections = (lane + most - 1) / most
            section = ((lane + sections - 1) / sections + summedTiles - 1) / summedTiles * summedTiles
            v = .summed(rows: section, columns: g.channels)
            dm = .right(rows: section, columns: g.filters)
            du = WinogradMatrices(rows: g.channels, columns: g.filters)
        }

        /// The floats of all matrices.
        func floats(workers: Int) -> Int { (isApart ? workers : 1) * (v.floats + dm.floats) + lanes * du.floats }

        /// The sections of lane `index` of a group of `tiles`.
        func sections(ofLane index: Int, of tiles: Int) -> [Section] {
            let range = index * lane..<min(tiles, (index + 1) * lane)
            return stride(from: range.lowerBound, to: range.upperBound, by: section).map {
                Section(tiles: $0..<min(range.upperBound, $0 + section), isFirst: $0 == range.lowerBound)
            }
        }
    }

    fileprivate struct Section {
        let tiles: Range<Int>
        /// Whether this section is the first of its lane. The first starts the lane's sums, the others add to them.
        let isFirst: Bool
    }

    /// The memory of a section's V and dM, and of its lane's dU.
    fileprivate struct Matrices {
        let v: UnsafeMutablePointer<Float>
        let dm: UnsafeMutablePointer<Float>
        let du: UnsafeMutablePointer<Float>
    }

    /// A group of frames and the memory that all of its workers share.
    fileprivate struct Group {
        let g: ConvolutionGeometry
        let total: Int
        let input: UnsafePointer<Float>
        let dOutput: UnsafePointer<Float>
        let division: Division
        /// For each worker.
        let spares: Tensor
        /// For each lane: the gradient of the bias, and behind it that of some tiles.
        let bias: Tensor
    }

    static func add(
        _ g: ConvolutionGeometry, frames: Int, input: UnsafePointer<Float>, dOutput: UnsafePointer<Float>,
        dKernel: UnsafeMutablePointer<Float>, dBias: UnsafeMutablePointer<Float>?, workers: Workers, workspace: Workspace
    ) {
        precondition(WinogradConvolution.supports(g), "Winograd convolution of \(g)")
        for first in stride(from: 0, to: frames, by: frameGroup) {
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            let total = min(frameGroup, frames - first) * WinogradConvolution.tiles(g)
            let division = Division(g, tiles: total, workers: workers.count)
            let group = Group(
                g: g, total: total, input: input + first * g.inputShape.count, dOutput: dOutput + first * g.outputShape.count,
                division: division, spares: workspace.take([workers.count, WinogradConvolution.spareFloats(g)]),
                bias: workspace.takeZeroed([division.lanes, 2 * division.dm.columns]))
            group.add(to: dKernel, workers, workspace)
            if let dBias { for lane in 0..<division.lanes { vc_add(dBias, group.bias.rows(lane..<lane + 1).base, g.filters) } }
        }
    }

    /// The most floats that `add` takes from the workspace.
    static func scratch(_ g: ConvolutionGeometry, workers: Int) -> Int {
        let most = (1...frameGroup).map { Division(g, tiles: $0 * WinogradConvolution.tiles(g), workers: workers) }
        let bias = most.map { $0.lanes * 2 * $0.dm.columns }.max() ?? 0
        return (most.map { $0.floats(workers: workers) }.max() ?? 0) + bias + workers * WinogradConvolution.spareFloats(g)
    }
}

extension WinogradFilterGradient.Group {
    fileprivate func add(to dKernel: UnsafeMutablePointer<Float>, _ workers: Workers, _ workspace: Workspace) {
        let (v, dm, du) = (division.v, division.dm, division.du)
        let sums = workspace.take([division.lanes, du.floats]).base
        let sections = workspace.take([division.isApart ? workers.count : 1, v.floats + dm.floats])
        func matrices(lane: Int, worker: Int) -> WinogradFilterGradient.Matrices {
            let base = sections.base + worker * sections.shape[1]
            return .init(v: base, dm: base + v.floats, du: sums + lane * du.floats)
        }
        if division.isApart {
            workers.forEach(division.lanes) { lane, worker in
                let matrices = matrices(lane: lane, worker: worker)
                for section in division.sections(ofLane: lane, of: total) {
                    transform(section.tiles, at: 0, matrices, worker)
                    for frequency in 0..<WinogradMatrices.frequencies {
                        multiply(section, matrices, frequency: frequency, panels: 0..<du.panels, lane: lane)
                    }
                }
            }
        } else {
            for lane in 0..<division.lanes {
                for section in division.sections(ofLane: lane, of: total) {
                    addTogether(section, matrices(lane: lane, worker: 0), lane: lane, workers)
                }
            }
        }
        workers.forEachRange(of: g.channels, size: max(1, 8192 / g.filters)) { channels, _ in
            var layout = du.layoutForC
            let (first, end) = (Int32(channels.lowerBound), Int32(channels.upperBound))
            for lane in 0..<division.lanes {
                vc_winograd_filter_adjoint(&layout, sums + lane * du.floats, Int32(g.filters), first, end, dKernel)
            }
        }
    }

    private func addTogether(
        _ section: WinogradFilterGradient.Section, _ matrices: WinogradFilterGradient.Matrices, lane: Int, _ workers: Workers
    ) {
        workers.forEachRange(of: section.tiles.count, size: WinogradConvolution.transformTiles) { rows, worker in
            let start = section.tiles.lowerBound
            transform(start + rows.lowerBound..<start + rows.upperBound, at: rows.lowerBound, matrices, worker)
        }
        let (panels, atOnce) = (division.du.panels, WinogradFilterGradient.panelsAtOnce)
        let shares = (panels + atOnce - 1) / atOnce
        workers.forEach(WinogradMatrices.frequencies * shares) { block, _ in
            let first = block % shares * atOnce
            multiply(section, matrices, frequency: block / shares, panels: first..<min(panels, first + atOnce), lane: lane)
        }
    }

    /// Computes V and dM of `tiles` into the rows from `row` on.
    private func transform(_ tiles: Range<Int>, at row: Int, _ matrices: WinogradFilterGradient.Matrices, _ worker: Int) {
        let spare = spares.rows(worker..<worker + 1).base
        WinogradConvolution.transformInput(g, input, tiles, division.v, at: row, matrices.v, nil, spare)
        var map = vc_winograd_map(rows: Int32(g.rows), columns: Int32(g.columns), channels: Int32(g.filters))
        var layout = division.dm.layoutForC
        vc_winograd_output_adjoint(
            &map, dOutput, tiles.lowerBound, Int32(tiles.count), &layout, Int32(row), matrices.dm, spare)
    }

    /// dU (+)= V' dM of one frequency and some panels of filters, over a section's tiles, and from the sums of the tiles the lane's gradient
    /// of the bias.
    private func multiply(
        _ section: WinogradFilterGradient.Section, _ matrices: WinogradFilterGradient.Matrices, frequency: Int, panels: Range<Int>,
        lane: Int
    ) {
        let (v, dm, du) = (division.v, division.dm, division.du)
        for panel in panels {
            let filters = du.width(panel)
            for rows in 0..<v.panels {
                let (first, width) = (rows * v.panel, v.width(rows))
                var product = vc_product(
                    groups: 1, rows: min(width, g.channels - first), columns: filters, segments: 1, depth: section.tiles.count,
                    a: matrices.v + v.offset(frequency, rows), a_group: 0, a_row: 1, a_depth: width, a_segment: 0,
                    b: matrices.dm + dm.offset(frequency, panel * (du.panel / dm.panel)), b_depth: dm.panel, b_panel: dm.panel * dm.rows,
                    c: matrices.du + du.offset(frequency, panel) + first * filters, c_row: filters, adds: !section.isFirst, bias: nil,
                    adding: nil, activation: Int32(VC_LINEAR))
                vc_matrix_product(&product)
            }
            if frequency == WinogradFilterGradient.sumFrequency { addSums(section, matrices, panel: panel, lane: lane) }
        }
    }

    /// Adds the sums over the tiles, for one panel of filters, to a lane's gradient of the bias. Its bits do not depend on the sections.
    private func addSums(
        _ section: WinogradFilterGradient.Section, _ matrices: WinogradFilterGradient.Matrices, panel: Int, lane: Int
    ) {
        let (dm, count, atOnce) = (division.dm, section.tiles.count, WinogradFilterGradient.summedTiles)
        let first = panel * division.du.panel
        for column in stride(from: first, to: first + division.du.width(panel), by: dm.panel) {
            let sums = matrices.dm + dm.offset(WinogradFilterGradient.sumFrequency, column / dm.panel)
            let result = bias.rows(lane..<lane + 1).base + column
            let part = result + dm.columns
            for tile in stride(from: 0, to: count, by: atOnce) {
                vc_sum_positions(sums + tile * dm.panel, min(atOnce, count - tile), Int32(dm.panel), part)
                vc_add(result, part, dm.panel)
            }
        }
    }
}
