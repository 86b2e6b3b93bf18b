import VidSystem

/// Linux's MADV_HUGEPAGE, which Glibc's Swift module does not export.
private let adviseHugePages: Int32 = 14

/// Bytes of a huge page.
private let hugePage = 2 << 20

/// A run of floats: 64-byte aligned, and but for borrowed memory freed with its last reference.
///
/// Everything else holds views (`Tensor`) into it. Large buffers ask the kernel for huge pages, and large zeroed ones are the kernel's own
/// zeroed pages, which are not touched before they are used.
package final class Buffer: @unchecked Sendable {
    package let count: Int
    package let base: UnsafeMutablePointer<Float>
    /// How the memory is given back; nil if it is borrowed.
    private let release: Release?

    private enum Release {
        case free
        /// Pages from `start` on, with those in front of the alignment.
        case unmap(start: UnsafeMutableRawPointer, bytes: Int)
    }

    /// `count` floats, zeroed or uninitialised. The kernel gives memory only to the parts of an uninitialised buffer that are used.
    ///
    /// - Throws: `.other` if memory runs out.
    package init(allocating count: Int, isZeroed: Bool = true) throws(VidclassError) {
        precondition(count >= 0, "a buffer of \(count) floats")
        self.count = count
        let bytes = max(64, (Size.product(count, MemoryLayout<Float>.stride) + 63) / 64 * 64)
        let isLarge = bytes >= 4 << 20
        guard let (raw, release) = isLarge && isZeroed ? Buffer.mapped(bytes) : Buffer.allocated(bytes, alignment: isLarge ? hugePage : 64)
        else {
            throw VidclassError(
                .other,
                "out of memory: \(bytes >> 20) MiB more cannot be allocated. Use a smaller model.input or training.batch_size. \(Machine.memoryAdvice)."
            )
        }
        if isLarge { madvise(raw, bytes, adviseHugePages) }
        if isZeroed, !isLarge { memset(raw, 0, bytes) }
        base = raw.bindMemory(to: Float.self, capacity: count)
        self.release = release
    }

    private static func allocated(_ bytes: Int, alignment: Int) -> (UnsafeMutableRawPointer, Release)? {
        var raw: UnsafeMutableRawPointer?
        guard posix_memalign(&raw, alignment, bytes) == 0, let raw else { return nil }
        return (raw, .free)
    }

    /// Zeroed pages, which the kernel gives when they are first used.
    private static func mapped(_ bytes: Int) -> (UnsafeMutableRawPointer, Release)? {
        let all = bytes + hugePage
        guard let start = mmap(nil, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), Int(bitPattern: start) != -1 else {
            return nil
        }
        return (start.alignedUp(toMultipleOf: hugePage), .unmap(start: start, bytes: all))
    }

    /// The memory of a tensor, which must outlive the buffer.
    package init(borrowing tensor: Tensor) {
        (count, base, release) = (tensor.count, tensor.base, nil)
    }

    deinit {
        switch release {
        case .free: free(base)
        case .unmap(let start, let bytes): munmap(start, bytes)
        case nil: break
        }
    }

    /// A view of `shape` that starts `offset` floats in. It does not keep the buffer alive: hold the buffer, and use
    /// `withExtendedLifetime` if the last mention of the buffer comes before the last use of the view.
    package func tensor(_ shape: Shape, offset: Int = 0) -> Tensor {
        precondition(offset >= 0 && offset + shape.count <= count, "\(shape) at \(offset) in a buffer of \(count) floats")
        return Tensor(base + offset, shape)
    }
}
