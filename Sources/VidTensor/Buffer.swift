import VidSystem

/// Linux's MADV_HUGEPAGE, which Glibc's Swift module does not show.
private let adviseHugePages: Int32 = 14

/// The one owner of a run of floats: 64-byte aligned, freed when the last reference goes.
///
/// Everything else holds views (`Tensor`) into it. Large buffers ask the kernel for huge pages.
package final class Buffer: @unchecked Sendable {
    package let count: Int
    package let base: UnsafeMutablePointer<Float>

    /// `count` floats, zeroed, or with whatever is there: then the kernel gives memory only to the parts that are used.
    package init(count: Int, isZeroed: Bool = true) {
        precondition(count >= 0, "a buffer of \(count) floats")
        self.count = count
        let bytes = max(64, (count * MemoryLayout<Float>.stride + 63) / 64 * 64)
        let isLarge = bytes >= 4 << 20
        var raw: UnsafeMutableRawPointer?
        let status = posix_memalign(&raw, isLarge ? 2 << 20 : 64, bytes)
        guard status == 0, let raw else { fatalError("out of memory: \(bytes) bytes") }
        if isLarge { madvise(raw, bytes, adviseHugePages) }
        if isZeroed { memset(raw, 0, bytes) }
        base = raw.bindMemory(to: Float.self, capacity: count)
    }

    deinit { free(base) }

    /// A view of `shape` that starts `offset` floats in. It does not keep the buffer alive: hold the buffer, and where its last
    /// mention stands before the view's last use, hold it by `withExtendedLifetime`.
    package func tensor(_ shape: Shape, offset: Int = 0) -> Tensor {
        precondition(offset >= 0 && offset + shape.count <= count, "\(shape) at \(offset) in a buffer of \(count) floats")
        return Tensor(base + offset, shape)
    }
}
