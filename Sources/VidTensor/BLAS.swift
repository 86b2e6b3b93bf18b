import COpenBLAS

/// OpenBLAS, one thread a call. Row-major.
package enum BLAS {
    /// C (m, n) = alpha * op(A) (m, k) * op(B) (k, n) + beta * C, with row strides `lda`, `ldb`, `ldc` in floats.
    package static func gemm(
        transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
        a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int, beta: Float = 0,
        c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        vc_sgemm(
            transposeA, transposeB, Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    }

    /// Replaces a row-major (m, n) matrix, m >= n, by the Q of its QR decomposition; returns the diagonal of R.
    package static func qr(m: Int, n: Int, _ a: UnsafeMutablePointer<Float>) throws -> [Float] {
        precondition(m >= n && n > 0, "QR of a (\(m), \(n)) matrix needs m >= n > 0")
        var tau = [Float](repeating: 0, count: n)
        var diagonal = [Float](repeating: 0, count: n)
        let info = vc_sqr(Int32(m), Int32(n), a, &tau, &diagonal)
        guard info == 0 else { throw VidclassError(.other, "LAPACK's QR of a (\(m), \(n)) matrix failed with info \(info)") }
        return diagonal
    }

    /// The kernel that runs, as OpenBLAS calls it.
    package static var coreName: String { String(cString: vc_blas_core_name()) }

    /// OpenBLAS's version and build options.
    package static var configuration: String { String(cString: vc_blas_config()) }

    /// The kernel asked for before OpenBLAS started; empty where the choice was left to OpenBLAS.
    package static var requestedCore: String { String(cString: vc_blas_requested_core()) }

    /// Whether the kernel was asked for by the user's `OPENBLAS_CORETYPE`.
    package static var coreIsUsers: Bool { vc_blas_core_is_users() }
}
