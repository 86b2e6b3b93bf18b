import CKernels
import VidSystem

/// A 3x3 kernel transformed for Winograd convolutions: U (36, C, K), four times the kernel's memory.
///
/// Its owner calls `update` when the kernel has changed.
package final class WinogradFilters {
    /// The pass that uses the filters.
    package enum Direction: Sendable, Hashable {
        /// From the input (C channels) to the output (K filters).
        case forward
        /// From the gradient of the output (K) to the gradient of the input (C): the filters turned by 180 degrees, with
        /// channels and filters exchanged.
        case inputGradient
    }

    package let direction: Direction
    /// Channels of the maps that the filters are applied to.
    let channels: Int
    /// Channels of the resulting maps.
    let filters: Int
    let layout: WinogradMatrices
    let base: UnsafeMutablePointer<Float>
    private let buffer: Buffer?
    /// Whether there are padding columns that have not been cleared yet. The transform writes all others.
    private var needsClearing: Bool

    /// Filters for a kernel (3, 3, C, K), not yet transformed, in their own memory, of which none is touched before `update`.
    ///
    /// - Throws: `.other` if memory runs out.
    package convenience init(_ direction: Direction, kernelShape: Shape) throws(VidclassError) {
        let floats = WinogradFilters.floats(direction, channels: kernelShape[2], filters: kernelShape[3])
        let own = try Buffer(allocating: floats, isZeroed: false)
        self.init(direction, kernelShape, own.base, own)
    }

    /// Filters for a kernel (3, 3, C, K), not yet transformed, in the memory of `workspace`.
    package convenience init(_ direction: Direction, kernelShape: Shape, in workspace: Workspace) {
        let floats = WinogradFilters.floats(direction, channels: kernelShape[2], filters: kernelShape[3])
        self.init(direction, kernelShape, workspace.take([floats]).base, nil)
    }

    private init(_ direction: Direction, _ kernelShape: Shape, _ base: UnsafeMutablePointer<Float>, _ buffer: Buffer?) {
        precondition(kernelShape.rank == 4 && kernelShape[0] == 3 && kernelShape[1] == 3, "Winograd filters of a kernel \(kernelShape)")
        self.direction = direction
        channels = direction == .forward ? kernelShape[2] : kernelShape[3]
        filters = direction == .forward ? kernelShape[3] : kernelShape[2]
        layout = .right(rows: channels, columns: filters)
        self.base = base
        self.buffer = buffer
        needsClearing = buffer != nil && layout.columns > filters
    }

    package var bytes: Int { layout.floats * MemoryLayout<Float>.stride }

    /// The floats of the filters for a kernel of `channels` and `filters`.
    package static func floats(_ direction: Direction, channels: Int, filters: Int) -> Int {
        let layout =
            direction == .forward
            ? WinogradMatrices.right(rows: channels, columns: filters) : .right(rows: filters, columns: channels)
        return layout.floats
    }

    /// Transforms `kernel` (3, 3, C, K).
    package func update(_ kernel: Tensor, workers: Workers, workspace: Workspace) {
        precondition(kernel.count == 9 * channels * filters, "kernel \(kernel.shape) for \(channels) channels and \(filters) filters")
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        if needsClearing {
            base.update(repeating: 0, count: layout.floats)
            needsClearing = false
        }
        let source = direction == .forward ? kernel.base : turned(kernel, workers, workspace)
        let rowsPerBlock = max(1, 8192 / filters)
        workers.forEachRange(of: channels, size: rowsPerBlock) { rows, _ in
            var layoutForC = layout.layoutForC
            vc_winograd_filter(source, Int32(filters), Int32(rows.lowerBound), Int32(rows.upperBound), &layoutForC, base)
        }
    }

    /// The kernel turned by 180 degrees with its last two axes exchanged, in the workspace.
    private func turned(_ kernel: Tensor, _ workers: Workers, _ workspace: Workspace) -> UnsafeMutablePointer<Float> {
        let size = channels * filters
        let result = workspace.take([9, size]).base
        workers.forEach(9) { tap, _ in
            vc_transpose(filters, channels, kernel.base + tap * size, channels, result + (8 - tap) * size, filters)
        }
        return result
    }
}
