import CKernels

/// Reordering between sequences as layers pass them on, (B, T, F), and as recurrences read them, (T, B, F) in the
/// order of the steps: forwards, or backwards in time.
package enum TimeMajor {
    /// out[s][b] = x[b][t] * factors[b], t the time of step s. `factors` (B, F) are dropout's, or nil.
    package static func gather(_ x: Tensor, reversed: Bool, factors: Tensor?, into out: Tensor, _ workers: Workers) {
        let (batch, steps, features) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(out.shape == [steps, batch, features], "\(x.shape) in time order into \(out.shape)")
        workers.forEach(steps) { step, _ in
            let time = reversed ? steps - 1 - step : step
            for clip in 0..<batch {
                let source = x.base + (clip * steps + time) * features
                let target = out.base + (step * batch + clip) * features
                if let factors {
                    vc_multiply(features, source, factors.base + clip * features, target)
                } else {
                    target.update(from: source, count: features)
                }
            }
        }
    }

    /// The gradient of `gather`: dx[b][t] = dOut[s][b] * factors[b], or += with `accumulate`. dOut is overwritten.
    package static func scatter(
        _ dOut: Tensor, reversed: Bool, factors: Tensor?, accumulate: Bool, into dx: Tensor, _ workers: Workers
    ) {
        let (batch, steps, features) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(dOut.shape == [steps, batch, features], "\(dOut.shape) in time order into \(dx.shape)")
        workers.forEach(steps) { step, _ in
            let time = reversed ? steps - 1 - step : step
            for clip in 0..<batch {
                let source = dOut.base + (step * batch + clip) * features
                let target = dx.base + (clip * steps + time) * features
                if let factors { vc_multiply(features, source, factors.base + clip * features, source) }
                vc_scale(features, 1, source, accumulate, target)
            }
        }
    }
}
