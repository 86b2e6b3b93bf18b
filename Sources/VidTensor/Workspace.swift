/// Scratch memory of a step, given out in order and taken back all at once or down to a mark.
///
/// A first step may have to add chunks, where not enough was reserved; `reset` then joins them into one, so that later steps
/// of the same size allocate nothing. What `take` returns is 64-byte aligned and holds garbage.
package final class Workspace {
    private var chunks: [Buffer] = []
    private var chunk = 0
    /// Floats given out of the current chunk.
    private var used = 0
    /// Floats given out of all chunks; what was left at a chunk's end is not in it.
    private var live = 0

    /// The most floats that were ever in use at once: what one chunk of all steps so far needs.
    package private(set) var peak = 0

    /// A place to go back to.
    package struct Mark {
        fileprivate let chunk: Int
        fileprivate let used: Int
        fileprivate let live: Int
    }

    package init() {}

    package var mark: Mark { Mark(chunk: chunk, used: used, live: live) }

    /// Gives back everything taken since `mark`.
    package func release(to mark: Mark) {
        chunk = mark.chunk
        used = mark.used
        live = mark.live
    }

    /// Gives back everything; call between steps.
    package func reset() {
        if chunks.count > 1 {
            chunks = []
            chunks = [Buffer(count: peak, isZeroed: false)]
        }
        chunk = 0
        used = 0
        live = 0
    }

    /// Makes one chunk of so many bytes, where nothing has been taken yet, so that a first step need not add any.
    package func reserve(bytes: Int) {
        precondition(live == 0, "memory is reserved before any is taken")
        let count = bytes / MemoryLayout<Float>.stride
        if chunks.count == 1, chunks[0].count >= count { return }
        chunks = []
        chunks = [Buffer(count: count, isZeroed: false)]
    }

    /// Uninitialised floats of `shape`, valid until they are released.
    package func take(_ shape: Shape) -> Tensor {
        let count = (shape.count + 15) / 16 * 16
        while chunk < chunks.count, used + count > chunks[chunk].count {
            chunk += 1
            used = 0
        }
        if chunk == chunks.count {
            chunks.append(Buffer(count: max(count, 1 << 16), isZeroed: false))
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
