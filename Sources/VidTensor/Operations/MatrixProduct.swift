import CKernels

/// Matrix products divided among the workers.
///
/// C is cut into tiles of 64 x 64 and the depth into runs such that a tile's product has at most a million
/// multiplications: OpenBLAS then uses its kernels for small matrices, which do not pack their operands. Measured on a
/// Zen 4 core (SkylakeX kernels): 105-110 GFLOP/s for the head's shapes, where one large call reaches 100 at (512, 1024)
/// x 512 and 50-80 at batches of 32. On kernels without that path (Haswell's) it costs a tenth to a fifth.
/// The small kernels are slow for a transposed B, so B is transposed first.
package enum MatrixProduct {
    package static let tile = 64
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
    /// With `transposeA`, a is stored (k, m). `finish` runs on c after the product, with `accumulate` on the sum.
    package static func multiply(
        _ a: Tensor, transposeA: Bool = false, _ b: Tensor, into c: Tensor, accumulate: Bool = false, finish: Finish? = nil,
        _ workers: Workers
    ) {
        let (m, n) = (c.shape[0], c.shape[1])
        let k = transposeA ? a.shape[0] : a.shape[1]
        precondition(
            (transposeA ? a.shape[1] : a.shape[0]) == m && b.shape == [k, n],
            "\(a.shape)\(transposeA ? " transposed" : "") times \(b.shape) into \(c.shape)")
        precondition(finish?.bias.map { $0.count == n } ?? true, "a bias \(finish?.bias?.shape ?? []) for \(n) columns")
        let across = (n + tile - 1) / tile
        let down = (m + tile - 1) / tile
        workers.forEach(across * down) { block, _ in
            let (row, column) = (block / across * tile, block % across * tile)
            let (rows, columns) = (min(tile, m - row), min(tile, n - column))
            let corner = c.base + row * n + column
            multiplyTile(
                m: rows, n: columns, k: k, a: a.base + (transposeA ? row : row * k), lda: transposeA ? m : k, transposeA: transposeA,
                b: b.base + column, ldb: n, accumulate: accumulate, c: corner, ldc: n)
            if let finish {
                vc_bias_activation(
                    finish.activation.code, rows, columns, n, finish.bias.map { UnsafePointer($0.base + column) }, corner)
            }
        }
    }

    /// c (m, n) = a (m, k) times b (n, k) transposed, or += with `accumulate`: an input's gradient from an output's and a kernel.
    ///
    /// b's transposition takes room in `workspace` during the call.
    package static func multiplyByTransposed(
        _ a: Tensor, _ b: Tensor, into c: Tensor, accumulate: Bool = false, _ workspace: Workspace, _ workers: Workers
    ) {
        let (n, k) = (b.shape[0], b.shape[1])
        let mark = workspace.mark
        let transposed = workspace.take([k, n])
        Elementwise.transpose(b, into: transposed, workers)
        multiply(a, transposed, into: c, accumulate: accumulate, workers)
        workspace.release(to: mark)
    }

    /// One tile on the calling worker: c (m, n) = op(a) b (+ c), with row strides, the depth in runs of equal length.
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
