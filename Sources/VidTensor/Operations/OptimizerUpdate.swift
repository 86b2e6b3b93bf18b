import CKernels

/// Optimiser updates of a run of weights, divided into blocks of 16,384. Formulas: vc_optimizer.h.
///
/// The optimisers of VidModel compute the coefficients that depend on the step alone, in double precision.
package enum OptimizerUpdate {
    private static let block = 16384

    /// The coefficients that all optimisers have in common.
    package struct Common: Sendable {
        package let learningRate: Double
        /// The factor on the gradient: below 1 if its norm is clipped.
        package let gradientScale: Double
        /// The factor on a weight before its update: 1 - learning rate x weight decay.
        package let keep: Double
        /// Whether the gradients are set to 0 after their use, block by block while they are in the cache.
        package let clearsGradients: Bool

        package init(learningRate: Double, gradientScale: Double, keep: Double, clearsGradients: Bool) {
            self.learningRate = learningRate
            self.gradientScale = gradientScale
            self.keep = keep
            self.clearsGradients = clearsGradients
        }
    }

    /// Weights p, gradients g and up to two moments of the same count.
    package struct Run {
        package let weights: Tensor
        package let gradients: Tensor

        package init(weights: Tensor, gradients: Tensor) {
            precondition(weights.count == gradients.count, "\(gradients.shape) gradients for \(weights.shape) weights")
            self.weights = weights
            self.gradients = gradients
        }

        func check(_ moment: Tensor?) {
            precondition(moment.map { $0.count == weights.count } ?? true, "a moment \(moment?.shape ?? []) for \(weights.shape) weights")
        }
    }

    /// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
    /// p -= rate (gradientShare g + momentumShare m) / (sqrt(vCorrection v) + epsilon). Nadam, and Adam.
    package static func moments(
        _ run: Run, m: Tensor, v: Tensor, _ common: Common, beta1: Double, beta2: Double, gradientShare: Double, momentumShare: Double,
        vCorrection: Double, epsilon: Double, _ workers: Workers
    ) {
        run.check(m)
        run.check(v)
        let coefficients = vc_moment_coefficients(
            learning_rate: Float(common.learningRate), gradient_scale: Float(common.gradientScale), keep: Float(common.keep),
            beta_1: Float(beta1), one_minus_beta_1: Float(1 - beta1), beta_2: Float(beta2), one_minus_beta_2: Float(1 - beta2),
            gradient_share: Float(gradientShare), momentum_share: Float(momentumShare), v_correction: Float(vCorrection),
            epsilon: Float(epsilon))
        forEachBlock(of: run, common, workers) { range in
            let at = range.lowerBound
            withUnsafePointer(to: coefficients) {
                vc_moment_update(range.count, $0, run.gradients.base + at, m.base + at, v.base + at, run.weights.base + at)
            }
        }
    }

    /// m = momentum m - rate g; p += m, or with Nesterov p += momentum m - rate g; without m: p -= rate g.
    package static func sgd(_ run: Run, m: Tensor?, _ common: Common, momentum: Double, nesterov: Bool, _ workers: Workers) {
        run.check(m)
        let coefficients = vc_sgd_coefficients(
            learning_rate: Float(common.learningRate), gradient_scale: Float(common.gradientScale), keep: Float(common.keep),
            momentum: Float(momentum), nesterov: nesterov)
        forEachBlock(of: run, common, workers) { range in
            let at = range.lowerBound
            withUnsafePointer(to: coefficients) {
                vc_sgd_update(range.count, $0, run.gradients.base + at, m.map { $0.base + at }, run.weights.base + at)
            }
        }
    }

    /// v = rho v + (1 - rho) g^2; d = rate g / sqrt(v + epsilon); p -= d, or with m: m = momentum m + d; p -= m.
    package static func rmsprop(
        _ run: Run, v: Tensor, m: Tensor?, _ common: Common, rho: Double, epsilon: Double, momentum: Double, _ workers: Workers
    ) {
        run.check(v)
        run.check(m)
        let coefficients = vc_rmsprop_coefficients(
            learning_rate: Float(common.learningRate), gradient_scale: Float(common.gradientScale), keep: Float(common.keep),
            rho: Float(rho), one_minus_rho: Float(1 - rho), epsilon: Float(epsilon), momentum: Float(momentum))
        forEachBlock(of: run, common, workers) { range in
            let at = range.lowerBound
            withUnsafePointer(to: coefficients) {
                vc_rmsprop_update(range.count, $0, run.gradients.base + at, v.base + at, m.map { $0.base + at }, run.weights.base + at)
            }
        }
    }

    /// Calls `update` for every block of a run, and clears the block's gradients if they are to be cleared.
    private static func forEachBlock(of run: Run, _ common: Common, _ workers: Workers, _ update: (_ range: Range<Int>) -> Void) {
        workers.forEachRange(of: run.weights.count, size: block) { range, _ in
            update(range)
            if common.clearsGradients { (run.gradients.base + range.lowerBound).update(repeating: 0, count: range.count) }
        }
    }
}
