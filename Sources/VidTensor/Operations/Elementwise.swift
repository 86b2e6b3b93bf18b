import CKernels

/// Loops bounded by memory over whole tensors.
package enum Elementwise {
    private static let block = 16384

    /// z = x * y, element by element; z may be either.
    package static func multiply(_ x: Tensor, _ y: Tensor, into z: Tensor, _ workers: Workers) {
        precondition(x.count == y.count && x.count == z.count, "\(x.shape), \(y.shape), \(z.shape)")
        workers.forEachRange(of: x.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_multiply(range.count, x.base + at, y.base + at, z.base + at)
        }
    }

    /// y (columns, rows) = x (rows, columns) transposed, both dense.
    package static func transpose(_ x: Tensor, into y: Tensor, _ workers: Workers) {
        let (rows, columns) = (x.shape[0], x.shape[1])
        precondition(y.shape == [columns, rows], "\(x.shape) transposed into \(y.shape)")
        workers.forEachRange(of: columns, size: 64) { range, _ in
            let at = range.lowerBound
            vc_transpose(rows, range.count, x.base + at, columns, y.base + at * rows, rows)
        }
    }

    /// x = share * x + (1 - share) * y, element by element.
    package static func mix(_ x: Tensor, _ y: Tensor, share: Float, _ workers: Workers) {
        precondition(x.count == y.count, "\(x.shape) mixed with \(y.shape)")
        workers.forEachRange(of: x.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_scale(range.count, share, x.base + at, false, x.base + at)
            vc_scale(range.count, 1 - share, y.base + at, true, x.base + at)
        }
    }
}
