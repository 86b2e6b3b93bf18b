import CKernels

/// Softmax over the last axis.
package enum Softmax {
    /// Rows in a block; depends on the shape alone.
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

/// Categorical cross-entropy of softmax(logits), by log-sum-exp.
package enum SoftmaxCrossEntropy {
    /// The sum over the rows of weight x cross-entropy, rows in order, in double precision; optionally its gradient.
    ///
    /// - Parameters:
    ///   - logits: (B, classes).
    ///   - targets: (B, classes), rows that sum to 1. Smoothed to (1 - smoothing) t + smoothing / classes.
    ///   - weights: (B), or nil for ones.
    ///   - scale: the factor on the gradient, such as 1 / (number of clips in the batch).
    ///   - losses: scratch for B double-precision numbers.
    ///   - gradient: (B, classes): overwritten by scale x d(sum)/d(logits).
    package static func evaluate(
        logits: Tensor, targets: Tensor, weights: Tensor?, smoothing: Float, scale: Float,
        losses: UnsafeMutablePointer<Double>, gradient: Tensor?, _ workers: Workers
    ) -> Double {
        let (rows, columns) = (logits.shape[0], logits.shape[1])
        precondition(targets.shape == logits.shape, "targets \(targets.shape) for logits \(logits.shape)")
        precondition(weights.map { $0.count == rows } ?? true, "weights \(weights?.shape ?? []) for \(rows) rows")
        precondition(gradient.map { $0.shape == logits.shape } ?? true, "gradient \(gradient?.shape ?? []) for \(logits.shape)")
        workers.forEachRange(of: rows, size: Softmax.rowsPerBlock(columns)) { range, _ in
            let at = range.lowerBound * columns
            vc_softmax_cross_entropy(
                range.count, columns, logits.base + at, targets.base + at, weights.map { UnsafePointer($0.base + range.lowerBound) },
                smoothing, scale, losses + range.lowerBound, gradient.map { $0.base + at })
        }
        var sum = 0.0
        for row in 0..<rows { sum += losses[row] }
        return sum
    }
}
