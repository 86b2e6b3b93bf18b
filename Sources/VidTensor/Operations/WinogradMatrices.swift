import CKernels

/// The memory layout of the 36 matrices (rows, columns) of a Winograd transform, one per frequency. They are `stride` floats
/// apart, and each is a sequence of panels, dense matrices of `panel` columns. Columns are channels or filters rounded up to
/// whole vectors; the padding holds zeros. Matrices are a cache line further apart than their rows need: a tile's 36 elements are
/// then in different sets of the caches.
///
/// `vc_matrix_product` reads and writes them as they are: the rows of a panel are one run of memory.
struct WinogradMatrices: Sendable, Equatable {
    let rows: Int
    let columns: Int
    let panel: Int
    private(set) var stride: Int

    /// The number of matrices, one per element of a transformed tile.
    static let frequencies = Int(vc_winograd_frequencies)
    /// Columns of a panel: those of the widest tile of a product.
    private static let panelColumns = 64

    /// Matrices in panels.
    init(rows: Int, columns: Int) { self.init(rows: rows, columns: columns, panel: WinogradMatrices.panelColumns) }

    /// The right operands of products, in panels of one vector: so much of one as a pass takes is a run of memory, which stays in the
    /// first-level cache.
    static func right(rows: Int, columns: Int) -> WinogradMatrices {
        WinogradMatrices(rows: rows, columns: columns, panel: Int(vc_panel_columns))
    }

    /// The left operands of products that sum over their rows, in panels of three cache lines, which come to lie in all sets of a cache.
    static func summed(rows: Int, columns: Int) -> WinogradMatrices { WinogradMatrices(rows: rows, columns: columns, panel: 48) }

    /// Matrices of one panel.
    static func whole(rows: Int, columns: Int) -> WinogradMatrices { WinogradMatrices(rows: rows, columns: columns, panel: columns) }

    /// V and M of a block that takes the frequencies in their order: M of one takes the place of V of the one before it, so that a
    /// second-level cache holds twice the tiles. V lies one `stride` behind M.
    static func together(rows: Int, channels: Int, filters: Int) -> (v: WinogradMatrices, m: WinogradMatrices, floats: Int) {
        var v = whole(rows: rows, columns: channels)
        var m = WinogradMatrices(rows: rows, columns: filters)
        let stride = max(v.stride, m.stride)
        (v.stride, m.stride) = (stride, stride)
        return (v, m, (frequencies + 1) * stride)
    }

    private init(rows: Int, columns: Int, panel: Int) {
        self.rows = rows
        self.columns = (columns + 15) / 16 * 16
        self.panel = (min(panel, columns) + 15) / 16 * 16
        stride = rows * self.columns + 16
    }

    var floats: Int { WinogradMatrices.frequencies * stride }
    var panels: Int { (columns + panel - 1) / panel }

    /// The columns of panel `index`.
    func width(_ index: Int) -> Int { min(panel, columns - index * panel) }

    /// The offset of panel `index` of a frequency.
    func offset(_ frequency: Int, _ index: Int) -> Int { frequency * stride + index * panel * rows }

    var layoutForC: vc_winograd_matrices {
        vc_winograd_matrices(rows: Int32(rows), columns: Int32(columns), panel: Int32(panel), stride: stride)
    }
}
