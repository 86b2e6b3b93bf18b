import CKernels

/// Categorical cross-entropy of softmax(logits), by log-sum-exp.
package enum SoftmaxCrossEntropy {
    /// The sum over the rows of weight x cross-entropy, rows in order, in double precision; optionally its gradient.
    ///
    /// - Parameters:
    ///   - logits: (B, classes).
    ///   - targets: (B, classes), rows that sum to 1. Smoothed to (1 - smoothing) t + smoothing / classes.
    ///   - weights: (B), or nil for ones.
    ///   - scale: what the gradient is multiplied by, such as 1 / (clips of the whole batch).
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
