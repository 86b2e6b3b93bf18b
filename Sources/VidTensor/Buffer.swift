import VidSystem

/// Linux's MADV_HUGEPAGE, which Glibc's Swift module does not export.
private let adviseHugePages: Int32 = 14

/// A run of floats: 64-byte aligned, and but for borrowed memory freed with its last reference.
///
/// Everything else holds views (`Tensor`) into it. Large buffers ask the kernel for huge pages.
package final class Buffer: @unchecked Sendable {
    package let count: Int
    package let base: UnsafeMutablePointer<Float>
    private let isOwner: Bool

    /// `count` floats, zeroed or uninitialised. The kernel gives memory only to the parts of an uninitialised buffer that are used.
    ///
    /// - Throws: `.other` if memory runs out.
    package init(allocating count: Int, isZeroed: Bool = true) throws(VidclassError) {
        precondition(count >= 0, "a buffer of \(count) floats")
        self.count = count
        let bytes = max(64, (Size.product(count, MemoryLayout<Float>.stride) + 63) / 64 * 64)
        let isLarge = bytes >= 4 << 20
        var raw: UnsafeMutableRawPointer?
        let status = posix_memalign(&raw, isLarge ? 2 << 20 : 64, bytes)
        guard status == 0, let raw else {
            throw VidclassError(
                .other,
                "out of memory: \(bytes >> 20) MiB more cannot be allocated. Use a smaller model.input or training.batch_size. \(Machine.memoryAdvice)."
            )
        }
        if isLarge { madvise(raw, bytes, adviseHugePages) }
        if isZeroed { memset(raw, 0, bytes) }
        base = raw.bindMemory(to: Float.self, capacity: count)
        isOwner = true
    }

    /// The memory of a tensor, which must outlive the buffer.
    package init(borrowing tensor: Tensor) {
        (count, base, isOwner) = (tensor.count, tensor.base, false)
    }

    deinit { if isOwner { free(base) } }

    /// A view of `shape` that starts `offset` floats in. It does not keep the buffer alive: hold the buffer, and use
    /// `withExtendedLifetime` if the last mention of the buffer comes before the last use of the view.
    package func tensor(_ shape: Shape, offset: Int = 0) -> Tensor {
        precondition(offset >= 0 && offset + shape.count <= count, "\(shape) at \(offset) in a buffer of \(count) floats")
        return Tensor(base + offset, shape)
    }
}
