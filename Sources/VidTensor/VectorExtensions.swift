import CKernels
import VidSystem

extension Machine {
    /// The instruction set that the kernels run: "avx512", "avx2" or "baseline".
    package static var simdLevel: String { String(cString: vc_simd_level()) }

    /// The vector extensions of the processor, such as ["avx2", "fma", "avx512f"].
    package static var vectorExtensions: [String] {
        var text = [CChar](repeating: 0, count: 256)
        vc_cpu_extensions(&text, text.count)
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self).split(separator: " ").map(String.init)
    }
}
