import CKernels
import VidSystem

/// A convolution's kernel as `vc_matrix_product` reads it: for each group the matrix (taps, filters) in panels of 16 columns.
///
/// Its owner calls `update` when the kernel has changed. Any matrix can be packed, as the kernel of a pointwise convolution.
package final class PackedFilters {
    private let kernelShape: Shape
    private let groups: Int
    let base: UnsafeMutablePointer<Float>
    private let buffer: Buffer?

    /// Filters for a kernel (rows, columns, C / groups, K), not yet packed, in their own memory.
    ///
    /// - Throws: `.other` if memory runs out.
    package convenience init(kernelShape: Shape, groups: Int) throws(VidclassError) {
        let own = try Buffer(allocating: PackedFilters.floats(kernelShape, groups: groups), isZeroed: false)
        self.init(kernelShape, groups, own.base, own)
    }

    /// Filters for a kernel (rows, columns, C / groups, K), not yet packed, in the memory of `workspace`.
    package convenience init(kernelShape: Shape, groups: Int, in workspace: Workspace) {
        self.init(kernelShape, groups, workspace.take([PackedFilters.floats(kernelShape, groups: groups)]).base, nil)
    }

    private init(_ kernelShape: Shape, _ groups: Int, _ base: UnsafeMutablePointer<Float>, _ buffer: Buffer?) {
        (self.kernelShape, self.groups, self.base, self.buffer) = (kernelShape, groups, base, buffer)
    }

    /// A matrix (depth, columns), packed into the memory of `workspace`; with `groups`, each of as many runs of its columns by itself.
    package convenience init(packing matrix: Tensor, groups: Int = 1, in workspace: Workspace, _ workers: Workers) {
        self.init(kernelShape: [1, 1, matrix.shape[0], matrix.shape[1]], groups: groups, in: workspace)
        update(matrix, workers)
    }

    /// Packs another matrix of the same shape.
    package func update(_ matrix: Tensor, _ workers: Workers) {
        update(matrix.reshaped([1, 1, matrix.shape[0], matrix.shape[1]]), workers: workers)
    }

    /// The transposed of a matrix (columns, depth), packed into the memory of `workspace`.
    convenience init(transposing matrix: Tensor, in workspace: Workspace, _ workers: Workers) {
        self.init(kernelShape: [1, 1, matrix.shape[1], matrix.shape[0]], groups: 1, in: workspace)
        update(turning: matrix.reshaped([1, 1, matrix.shape[0], matrix.shape[1]]), workers: workers)
    }

    /// Floats of the packed kernel.
    package static func floats(_ kernelShape: Shape, groups: Int) -> Int {
        let taps = kernelShape[0] * kernelShape[1] * kernelShape[2]
        return groups * taps * panels(kernelShape[3] / groups) * panelColumns
    }

    package var bytes: Int { PackedFilters.floats(kernelShape, groups: groups) * MemoryLayout<Float>.stride }

    /// The same for a matrix (depth, columns) in one group, whose extents may overflow an integer.
    package static func floats(depth: Double, columns: Double) -> Double {
        depth * (columns / Double(panelColumns)).rounded(.up) * Double(panelColumns)
    }

    static let panelColumns = Int(vc_panel_columns)

    static func panels(_ columns: Int) -> Int { (columns + panelColumns - 1) / panelColumns }

    /// Columns of a group's matrix.
    var columns: Int { kernelShape[3] / groups }
    /// Rows of a group's matrix.
    var taps: Int { kernelShape[0] * kernelShape[1] * kernelShape[2] }
    /// Floats from one panel to the next.
    var panelFloats: Int { taps * PackedFilters.panelColumns }

    /// The matrix of a group.
    func group(_ index: Int) -> UnsafeMutablePointer<Float> {
        base + index * PackedFilters.panels(columns) * panelFloats
    }

    /// Elements of the depth that a product of `multiply` sums by themselves. With 128, errors are not above OpenBLAS's.
    private static let run = 128

    /// c = activation(bias + a b), or c += a b with `accumulate`, on the calling worker: a has `rows` dense rows `lda` apart, as long as
    /// `depth`, and b is the rows `depth` (nil: all) and the columns from `column` on, which is the first of a panel, of a group's
    /// matrix. c and bias begin at that column.
    func multiply(
        group index: Int = 0, depth: Range<Int>? = nil, column: Int = 0, rows: Int, columns: Int, a: UnsafePointer<Float>, lda: Int,
        accumulate: Bool, c: UnsafeMutablePointer<Float>, ldc: Int, bias: UnsafePointer<Float>? = nil,
        activation: ActivationKind = .linear
    ) {
        let depth = depth ?? 0..<taps
        precondition(column % PackedFilters.panelColumns == 0, "a product from column \(column) on")
        var product = vc_product(
            groups: 1, rows: rows, columns: columns, segments: 1, depth: depth.count, a: a, a_group: 0, a_row: lda, a_depth: 1,
            a_segment: 0, b: group(index) + column * taps + depth.lowerBound * PackedFilters.panelColumns,
            b_depth: PackedFilters.panelColumns, b_panel: panelFloats, c: c, c_row: ldc, adds: accumulate, bias: bias, adding: nil,
            activation: activation.code)
        vc_matrix_product_in_runs(&product, PackedFilters.run)
    }

    /// Packs `kernel` (rows, columns, C / groups, K).
    package func update(_ kernel: Tensor, workers: Workers) {
        precondition(kernel.shape == kernelShape, "kernel \(kernel.shape) for \(kernelShape)")
        let filters = kernelShape[3]
        forEachPanel(workers) { group, columns, panel in
            let source = kernel.base + group * (filters / groups) + columns.lowerBound
            vc_pack(taps, columns.count, source, filters, 1, panel, panelFloats)
        }
    }

    /// Packs the kernel of the convolution that gives the input gradient of one with `kernel` (rows, columns, C / groups, K): turned by
    /// 180 degrees, with channels and filters exchanged.
    func update(turning kernel: Tensor, workers: Workers) {
        let (places, channels, filters) = (kernel.shape[0] * kernel.shape[1], kernel.shape[2], kernel.shape[3])
        precondition(
            kernelShape == [kernel.shape[0], kernel.shape[1], filters / groups, channels * groups],
            "kernel \(kernel.shape) turned into \(kernelShape)")
        let depth = filters / groups
        forEachPanel(workers) { group, columns, panel in
            for place in 0..<places {
                let source = kernel.base + ((places - 1 - place) * channels + columns.lowerBound) * filters + group * depth
                vc_pack(depth, columns.count, source, 1, filters, panel + place * depth * PackedFilters.panelColumns, panelFloats)
            }
        }
    }

    /// Calls `body` with each group, the columns of each of its panels, and the panel.
    private func forEachPanel(
        _ workers: Workers, _ body: (_ group: Int, _ columns: Range<Int>, _ panel: UnsafeMutablePointer<Float>) -> Void
    ) {
        let (columns, panels) = (columns, PackedFilters.panels(columns))
        workers.forEach(groups * panels) { block, _ in
            let (index, first) = (block / panels, block % panels * PackedFilters.panelColumns)
            body(index, first..<min(columns, first + PackedFilters.panelColumns), group(index) + first * taps)
        }
    }
}

/// A kernel in the form that a convolution's algorithm reads.
package enum PreparedFilters {
    case packed(PackedFilters)
    case winograd(WinogradFilters)

    /// The forms, and what they depend on besides the kernel.
    package enum Form: Hashable, Sendable {
        case packed(groups: Int)
        case winograd(WinogradFilters.Direction)

        /// Floats for a kernel of `shape`.
        package func floats(_ shape: Shape) -> Int {
            switch self {
            case .packed(let groups): PackedFilters.floats(shape, groups: groups)
            case .winograd(let direction): WinogradFilters.floats(direction, channels: shape[2], filters: shape[3])
            }
        }
    }

    /// Filters for a kernel of `shape`, to be updated, in their own memory.
    ///
    /// - Throws: `.other` if memory runs out.
    package init(_ form: Form, kernelShape: Shape) throws(VidclassError) {
        switch form {
        case .packed(let groups): self = .packed(try PackedFilters(kernelShape: kernelShape, groups: groups))
        case .winograd(let direction): self = .winograd(try WinogradFilters(direction, kernelShape: kernelShape))
        }
    }

    package var bytes: Int {
        switch self {
        case .packed(let filters): filters.bytes
        case .winograd(let filters): filters.bytes
        }
    }

    package func update(_ kernel: Tensor, workers: Workers, workspace: Workspace) {
        switch self {
        case .packed(let filters): filters.update(kernel, workers: workers)
        case .winograd(let filters): filters.update(kernel, workers: workers, workspace: workspace)
        }
    }
}
