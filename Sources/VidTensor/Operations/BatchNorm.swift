import CKernels

/// Batch normalisation over the last axis of x (rows, C), 64 channels a block.
///
/// `mask` holds one number a row: rows of 0 are normalised like the others but do not count in the statistics.
package enum BatchNorm {
    private static let block = 64

    /// Mean and population variance (C) of the counting rows, in double precision.
    package static func moments(_ x: Tensor, mask: Tensor?, mean: Tensor, variance: Tensor, _ workers: Workers) {
        let channels = x.shape.last
        let rows = check(x, mask, mean, variance)
        workers.forEachRange(of: channels, size: block) { range, _ in
            let at = range.lowerBound
            vc_column_moments(
                rows, range.count, channels, x.base + at, mask.map { UnsafePointer($0.base) }, mean.base + at, variance.base + at)
        }
    }

    /// y = (x - mean) gamma / sqrt(variance + epsilon) + beta.
    package static func forward(
        _ x: Tensor, mean: Tensor, variance: Tensor, epsilon: Float, gamma: Tensor, beta: Tensor, into y: Tensor, _ workers: Workers
    ) {
        let channels = x.shape.last
        let rows = check(x, nil, mean, variance)
        precondition(y.count == x.count && gamma.count == channels && beta.count == channels, "\(x.shape), \(y.shape), \(gamma.shape)")
        workers.forEachRange(of: channels, size: block) { range, _ in
            let at = range.lowerBound
            vc_batch_norm_forward(
                rows, range.count, channels, x.base + at, mean.base + at, variance.base + at, epsilon, gamma.base + at, beta.base + at,
                y.base + at)
        }
    }

    /// Gradients through the statistics of the batch: dGamma and dBeta are overwritten with their sums, dx with d(loss)/dx.
    ///
    /// - Parameters:
    ///   - usesBatchStatistics: whether mean and variance were those of x; if not they were constants.
    ///   - dx: nil when the input's gradient is not wanted.
    package static func backward(
        _ x: Tensor, _ dy: Tensor, mask: Tensor?, usesBatchStatistics: Bool, mean: Tensor, variance: Tensor, epsilon: Float,
        gamma: Tensor, dGamma: Tensor, dBeta: Tensor, dx: Tensor?, _ workers: Workers
    ) {
        let channels = x.shape.last
        let rows = check(x, mask, mean, variance)
        precondition(dy.count == x.count && (dx.map { $0.count == x.count } ?? true), "\(x.shape), \(dy.shape)")
        let count = mask.map { counted($0) } ?? rows
        workers.forEachRange(of: channels, size: block) { range, _ in
            let (at, n) = (range.lowerBound, range.count)
            vc_batch_norm_parameter_sums(
                rows, n, channels, x.base + at, dy.base + at, mean.base + at, variance.base + at, epsilon, dGamma.base + at,
                dBeta.base + at)
            guard let dx else { return }
            if usesBatchStatistics {
                vc_batch_norm_input_gradient(
                    rows, n, channels, x.base + at, dy.base + at, mask.map { UnsafePointer($0.base) }, count, mean.base + at,
                    variance.base + at, epsilon, gamma.base + at, dGamma.base + at, dBeta.base + at, dx.base + at)
            } else {
                vc_batch_norm_scale_gradient(
                    rows, n, channels, dy.base + at, variance.base + at, epsilon, gamma.base + at, dx.base + at)
            }
        }
    }

    /// The number of rows that count.
    package static func counted(_ mask: Tensor) -> Int {
        var count = 0
        for row in 0..<mask.count where mask.base[row] != 0 { count += 1 }
        return count
    }

    private static func check(_ x: Tensor, _ mask: Tensor?, _ mean: Tensor, _ variance: Tensor) -> Int {
        let channels = x.shape.last
        let rows = x.count / max(channels, 1)
        precondition(mean.count == channels && variance.count == channels, "statistics \(mean.shape) of \(x.shape)")
        precondition(mask.map { $0.count == rows } ?? true, "a mask \(mask?.shape ?? []) for \(rows) rows")
        return rows
    }
}
