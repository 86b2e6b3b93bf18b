import VidSystem

/// Scratch memory of a step, handed out in order and released all at once or back to a mark.
///
/// Whoever runs a network reserves the bytes that its layers say they take (`StepMemory`, `PredictionMemory`), which is where memory
/// can run out: `take` cannot fail within them. Beyond them the first step adds chunks; `reset` then joins them into one, so that
/// later steps of the same size allocate nothing. The memory that `take` returns is 64-byte aligned and uninitialised.
package final class Workspace {
    private var chunks: [Buffer] = []
    private var chunk = 0
    /// Floats in use in the current chunk.
    private var used = 0
    /// Floats in use in all chunks, without the unused ends of chunks.
    private var live = 0

    /// The most floats that were ever in use at once: the size of a single chunk that would do for all steps so far.
    package private(set) var peak = 0

    /// A point to release back to.
    package struct Mark {
        fileprivate let chunk: Int
        fileprivate let used: Int
        fileprivate let live: Int
    }

    package init() {}

    /// A workspace in the memory of another's tensor, which must outlive it.
    package init(in tensor: Tensor) { chunks = [Buffer(borrowing: tensor)] }

    package var mark: Mark { Mark(chunk: chunk, used: used, live: live) }

    /// Releases everything taken since `mark`.
    package func release(to mark: Mark) {
        chunk = mark.chunk
        used = mark.used
        live = mark.live
    }

    /// Releases everything; call between steps.
    package func reset() {
        if chunks.count > 1 {
            chunks = []
            // Without room for one chunk, the next step adds its own.
            if let joined = try? Buffer(allocating: peak, isZeroed: false) { chunks = [joined] }
        }
        chunk = 0
        used = 0
        live = 0
    }

    /// Allocates one chunk of `bytes` before anything is taken, so that the first step need not add chunks.
    ///
    /// - Throws: `.other` if memory runs out.
    package func reserve(bytes: Int) throws(VidclassError) {
        precondition(live == 0, "memory is reserved before any is taken")
        let count = bytes / MemoryLayout<Float>.stride
        if chunks.count == 1, chunks[0].count >= count { return }
        chunks = []
        chunks = [try Buffer(allocating: count, isZeroed: false)]
    }

    /// So many floats, rounded up to whole cache lines: workers then share none.
    package static func wholeLines(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }

    /// Uninitialised floats of `shape`, valid until they are released. To need more than was reserved, where that is no longer
    /// free, is a mistake in what was reserved.
    package func take(_ shape: Shape) -> Tensor {
        let count = Workspace.wholeLines(shape.count)
        while chunk < chunks.count, used + count > chunks[chunk].count {
            chunk += 1
            used = 0
        }
        if chunk == chunks.count {
            let size = max(count, 1 << 16)
            guard let added = try? Buffer(allocating: size, isZeroed: false) else {
                preconditionFailure("\(bytes) bytes were reserved, and \(size) floats more cannot be allocated")
            }
            chunks.append(added)
            used = 0
        }
        let tensor = Tensor(chunks[chunk].base + used, shape)
        used += count
        live += count
        peak = max(peak, live)
        return tensor
    }

    /// Zeroed floats of `shape`.
    package func takeZeroed(_ shape: Shape) -> Tensor {
        let tensor = take(shape)
        tensor.fill(0)
        return tensor
    }

    /// Bytes held now.
    package var bytes: Int { chunks.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride }
}
