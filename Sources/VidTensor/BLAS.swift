import COpenBLAS
import VidSystem

/// OpenBLAS, one thread per call, row-major.
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

    /// Maps the buffers that OpenBLAS packs matrices into, one for each of `threads`, before the first multiplication: where that
    /// fails later, OpenBLAS tries again for ever. They take address space now, and memory only as far as they are used.
    ///
    /// - Throws: `.other` if memory runs out.
    package static func reserve(threads: Int) throws(VidclassError) {
        let missing = vc_blas_reserve(Int32(threads))
        guard missing == 0 else {
            let buffer = Int(vc_blas_buffer_bytes())
            throw VidclassError(
                .other,
                "out of memory: OpenBLAS takes \((threads * buffer) >> 20) MiB of address space for \(threads) thread\(threads == 1 ? "" : "s"), and the "
                    + "system refuses \((Int(missing) * buffer) >> 20) MiB of it. \(Machine.memoryAdvice)\(threads > 1 ? ", or use fewer --threads" : "")."
            )
        }
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

    /// OpenBLAS's name of the kernel that runs.
    package static var coreName: String { String(cString: vc_blas_core_name()) }

    /// OpenBLAS's version and build options.
    package static var configuration: String { String(cString: vc_blas_config()) }

    /// The kernel that `OPENBLAS_CORETYPE` asks for, by the user or by our own choice (CKernelChoice); empty if OpenBLAS chose.
    package static let requestedCore = environment("OPENBLAS_CORETYPE")

    /// Returns true if the user, not CKernelChoice, set `OPENBLAS_CORETYPE`.
    package static let coreIsUsers = !requestedCore.isEmpty && requestedCore != environment("VIDCLASS_CORETYPE_CHOSEN")

    private static func environment(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
}
