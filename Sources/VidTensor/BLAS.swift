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

    /// The largest m n k that the running kernel multiplies without packing its operands; nil if OpenBLAS has no such kernels.
    /// Packing, the copy of larger operands into buffers, takes a quarter of the time for a matrix of a few dozen rows.
    ///
    /// OpenBLAS 0.3.17 and later, for AVX-512 (`sgemm_small_kernel_permit`): 100 x 100 x 100.
    package static let unpackedLimit: Int? = {
        let cores = ["skylakex", "cooperlake", "sapphirerapids"]
        // "OpenBLAS 0.3.21 DYNAMIC_ARCH ..."
        let version = configuration.split(separator: " ").dropFirst().first?.split(separator: ".").compactMap { Int($0) } ?? []
        let isRecent = !version.lexicographicallyPrecedes([0, 3, 17])
        return cores.contains(coreName.lowercased()) && isRecent ? 1_000_000 : nil
    }()

    /// The number of rows of A that a kernel processes together. The bits of a row of C do not depend on the rows around it if
    /// blocks of rows are multiples of this number and the row keeps its place within such a multiple.
    ///
    /// The kernels of `unpackedLimit` treat every row alike (if C's columns are a multiple of 16). The others for x86-64 process
    /// 12 or 4 rows at a time and sum each of them differently; those for other processors process up to 8.
    package static let rowPeriod: Int = {
        if unpackedLimit != nil { return 1 }
        #if arch(x86_64)
            return 12
        #else
            return 8
        #endif
    }()

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
