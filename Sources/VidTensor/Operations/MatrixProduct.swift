import CKernels

/// Matrix products divided among the workers in tiles of 128 x 64 of C.
///
/// B is packed, and A where it is transposed is copied into dense rows, once for all tiles: OpenBLAS would pack both for each tile, or
/// for each time step of a recurrent layer, which took a quarter of the head's step on AVX2.
package enum MatrixProduct {
    /// Columns of a tile, and the rows of an attention's.
    package static let tile = 64
    /// Rows of a tile. On a Zen 3 core that others shared, the head's largest product was a tenth faster than with 64.
    private static let tileRows = 128
    private static let multiplications = 1_000_000

    /// The last step for a tile of C after its product: a bias added to each row, then an activation.
    package struct Finish {
        package let bias: Tensor?
        package let activation: ActivationKind

        package init(bias: Tensor? = nil, activation: ActivationKind = .linear) {
            self.bias = bias
            self.activation = activation
        }
    }

    /// c (m, n) = op(a) b, or += with `accumulate`; op(a) is (m, k) and b (k, n), both dense.
    ///
    /// With `transposeA`, a is stored (k, m). `finish` runs on c after the product, with `accumulate` on the sum. The packed matrices
    /// take room in `workspace` during the call.
    package static func multiply(
        _ a: Tensor, transposeA: Bool = false, _ b: Tensor, into c: Tensor, accumulate: Bool = false, finish: Finish? = nil,
        _ workspace: Workspace, _ workers: Workers
    ) {
        precondition(b.shape[1] == c.shape[1], "columns of \(b.shape) into \(c.shape)")
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let packed = PackedFilters(packing: b, in: workspace, workers)
        multiply(a, transposeA: transposeA, packed, into: c, accumulate: accumulate, finish: finish, workspace, workers)
    }

    /// c (m, n) = a (m, k) times b (n, k) transposed, or += with `accumulate`: an input's gradient from an output's and a kernel.
    package static func multiplyByTransposed(
        _ a: Tensor, _ b: Tensor, into c: Tensor, accumulate: Bool = false, _ workspace: Workspace, _ workers: Workers
    ) {
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        multiply(a, PackedFilters(transposing: b, in: workspace, workers), into: c, accumulate: accumulate, workspace, workers)
    }

    /// As above, with the rows `depth` (nil: all) of a matrix that is packed already.
    package static func multiply(
        _ a: Tensor, transposeA: Bool = false, _ b: PackedFilters, depth: Range<Int>? = nil, into c: Tensor, accumulate: Bool = false,
        finish: Finish? = nil, _ workspace: Workspace, _ workers: Workers
    ) {
        let (m, n) = (c.shape[0], c.shape[1])
        let k = depth?.count ?? b.taps
        precondition(
            a.shape == (transposeA ? [k, m] : [m, k]) && b.columns == n,
            "\(a.shape)\(transposeA ? " transposed" : "") times (\(k), \(b.columns)) into \(c.shape)")
        precondition(finish?.bias.map { $0.count == n } ?? true, "a bias \(finish?.bias?.shape ?? []) for \(n) columns")
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        var a = a
        if transposeA {
            let rows = workspace.take([m, k])
            Elementwise.transpose(a, into: rows, workers)
            a = rows
        }
        let across = (n + tile - 1) / tile
        let down = (m + tileRows - 1) / tileRows
        workers.forEach(across * down) { block, _ in
            let (row, column) = (block / across * tileRows, block % across * tile)
            let (rows, columns) = (min(tileRows, m - row), min(tile, n - column))
            let corner = c.base + row * n + column
            let bias = finish?.bias.map { UnsafePointer($0.base + column) }
            b.multiply(
                depth: depth, column: column, rows: rows, columns: columns, a: a.base + row * k, lda: k, accumulate: accumulate, c: corner,
                ldc: n, bias: accumulate ? nil : bias, activation: accumulate ? .linear : finish?.activation ?? .linear)
            // A product that is added has no room for a bias.
            if accumulate, let finish { vc_bias_activation(finish.activation.code, rows, columns, n, bias, corner) }
        }
    }

    /// Floats that the three products of a layer take from the workspace in a step, y (rows, outputs) = x (rows, inputs) kernel and the
    /// gradients of kernel and x: for each row, and for any number.
    package static func stepFloats(inputs: Double, outputs: Double) -> (row: Double, constant: Double) {
        let kernel = max(
            PackedFilters.floats(depth: inputs, columns: outputs), PackedFilters.floats(depth: outputs, columns: inputs))
        return (PackedFilters.floats(depth: 1, columns: outputs) + inputs, kernel + 32)
    }

    /// One tile on the calling worker by OpenBLAS: c (m, n) = op(a) b (+ c), with row strides. For matrices that are multiplied once and
    /// are too small to be worth packing. The depth is in runs of equal length, each of at most a million multiplications: for them
    /// OpenBLAS has kernels that do not pack on AVX-512.
    static func multiplyTile(
        m: Int, n: Int, k: Int, a: UnsafePointer<Float>, lda: Int, transposeA: Bool = false, b: UnsafePointer<Float>, ldb: Int,
        accumulate: Bool, c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        let longest = max(32, multiplications / (m * n))
        let runs = max(1, (k + longest - 1) / longest)
        let depth = (k + runs - 1) / runs
        for run in 0..<runs {
            let first = run * depth
            BLAS.gemm(
                transposeA: transposeA, m: m, n: n, k: min(depth, k - first), a: a + (transposeA ? first * lda : first), lda: lda,
                b: b + first * ldb, ldb: ldb, beta: accumulate || run > 0 ? 1 : 0, c: c, ldc: ldc)
        }
    }
}
