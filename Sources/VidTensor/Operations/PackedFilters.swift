import CKernels
import VidSystem

/// A convolution's kernel as `vc_matrix_product` reads it: for each group the matrix (taps, filters) in panels of 16 columns.
///
/// Its owner calls `update` when the kernel has changed.
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

    /// Floats of the packed kernel.
    package static func floats(_ kernelShape: Shape, groups: Int) -> Int {
        let taps = kernelShape[0] * kernelShape[1] * kernelShape[2]
        return groups * taps * panels(kernelShape[3] / groups) * panelColumns
    }

    package var bytes: Int { PackedFilters.floats(kernelShape, groups: groups) * MemoryLayout<Float>.stride }

    static let panelColumns = Int(vc_panel_columns)

    static func panels(_ columns: Int) -> Int { (columns + panelColumns - 1) / panelColumns }

    /// Rows of a group's matrix.
    private var taps: Int { kernelShape[0] * kernelShape[1] * kernelShape[2] }
    /// Floats from one panel to the next.
    var panelFloats: Int { taps * PackedFilters.panelColumns }

    /// The matrix of a group.
    func group(_ index: Int) -> UnsafeMutablePointer<Float> {
        base + index * PackedFilters.panels(kernelShape[3] / groups) * panelFloats
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
        let columns = kernelShape[3] / groups
        let panels = PackedFilters.panels(columns)
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
