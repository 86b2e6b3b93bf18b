import CKernels

/// Softmax over the last axis.
package enum Softmax {
    /// Rows a block, by the shape alone.
    static func rowsPerBlock(_ columns: Int) -> Int { max(1, 4096 / max(columns, 1)) }

    /// y = softmax(x) for each row of the last axis; y may be x.
    package static func forward(_ x: Tensor, into y: Tensor, _ workers: Workers) {
        precondition(x.count == y.count, "\(x.shape) into \(y.shape)")
        let columns = x.shape.last
        workers.forEachRange(of: x.count / max(columns, 1), size: rowsPerBlock(columns)) { rows, _ in
            let at = rows.lowerBound * columns
            vc_softmax_forward(rows.count, columns, x.base + at, y.base + at)
        }
    }

    /// dx = y (dy - sum(y dy)), y = softmax(x); dx may be dy.
    package static func backward(output y: Tensor, _ dy: Tensor, into dx: Tensor, _ workers: Workers) {
        precondition(y.count == dy.count && y.count == dx.count, "\(y.shape), \(dy.shape), \(dx.shape)")
        let columns = y.shape.last
        workers.forEachRange(of: y.count / max(columns, 1), size: rowsPerBlock(columns)) { rows, _ in
            let at = rows.lowerBound * columns
            vc_softmax_backward(rows.count, columns, y.base + at, dy.base + at, dx.base + at)
        }
    }
}
