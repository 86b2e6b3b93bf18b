import CKernels

/// Layer normalisation of each row over the last axis of x (rows, F).
package enum LayerNorm {
    /// Rows in a block; depends on the shape alone.
    private static func rowsPerBlock(_ features: Int) -> Int { max(1, 8192 / max(features, 1)) }

    /// y = (x - mean) inverse gamma + beta; writes each row's mean and inverse = 1 / sqrt(variance + epsilon), (rows) each.
    package static func forward(
        _ x: Tensor, epsilon: Float, gamma: Tensor, beta: Tensor, mean: Tensor, inverse: Tensor, into y: Tensor, _ workers: Workers
    ) {
        let (rows, features) = check(x, mean, inverse)
        precondition(y.count == x.count && gamma.count == features && beta.count == features, "\(x.shape), \(y.shape), \(gamma.shape)")
        workers.forEachRange(of: rows, size: rowsPerBlock(features)) { range, _ in
            let (row, at) = (range.lowerBound, range.lowerBound * features)
            vc_layer_norm_forward(
                range.count, features, x.base + at, epsilon, gamma.base, beta.base, mean.base + row, inverse.base + row, y.base + at)
        }
    }

    /// dx from dy and the statistics that `forward` wrote; dx may be dy.
    package static func backward(
        _ x: Tensor, mean: Tensor, inverse: Tensor, gamma: Tensor, _ dy: Tensor, into dx: Tensor, _ workers: Workers
    ) {
        let (rows, features) = check(x, mean, inverse)
        precondition(dy.count == x.count && dx.count == x.count, "\(x.shape), \(dy.shape), \(dx.shape)")
        workers.forEachRange(of: rows, size: rowsPerBlock(features)) { range, _ in
            let (row, at) = (range.lowerBound, range.lowerBound * features)
            vc_layer_norm_input_gradient(
                range.count, features, x.base + at, mean.base + row, inverse.base + row, gamma.base, dy.base + at, dx.base + at)
        }
    }

    /// Adds the gradients of gamma and beta, (F) each.
    package static func addParameterGradients(
        _ x: Tensor, mean: Tensor, inverse: Tensor, _ dy: Tensor, dGamma: Tensor, dBeta: Tensor, _ workers: Workers
    ) {
        let (rows, features) = check(x, mean, inverse)
        precondition(dy.count == x.count && dGamma.count == features && dBeta.count == features, "\(x.shape), \(dy.shape)")
        workers.forEachRange(of: features, size: 64) { range, _ in
            let at = range.lowerBound
            vc_layer_norm_parameter_gradients(
                rows, range.count, features, x.base + at, mean.base, inverse.base, dy.base + at, dGamma.base + at, dBeta.base + at)
        }
    }

    private static func check(_ x: Tensor, _ mean: Tensor, _ inverse: Tensor) -> (rows: Int, features: Int) {
        let rows = x.count / max(x.shape.last, 1)
        precondition(mean.count == rows && inverse.count == rows, "statistics \(mean.shape) of \(x.shape)")
        return (rows, x.shape.last)
    }
}
