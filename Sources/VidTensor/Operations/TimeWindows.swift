import CKernels

/// The windows of time steps that a convolution over time looks at: for step t of T, the K steps t - before + k dilation, k in 0..<K.
///
/// Steps outside the sequence and steps of mask 0 count as zeros, so that a clip gives the same windows with and without padding.
package struct TimeWindows: Sendable {
    /// K.
    package let size: Int
    package let dilation: Int
    /// Steps from the start of a window to its own step.
    package let before: Int

    package init(size: Int, dilation: Int, before: Int) {
        self.size = size
        self.dilation = dilation
        self.before = before
    }

    /// Steps in a block; depends on the shape alone.
    private func stepsPerBlock(_ features: Int) -> Int { max(1, 16384 / max(size * features, 1)) }

    /// x (B, T, F) -> windows (B, T, K F), by `mask` (B, T) or nil.
    package func gather(_ x: Tensor, mask: Tensor?, into windows: Tensor, _ workers: Workers) {
        let (batch, steps, features) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(windows.shape == [batch, steps, size * features], "windows \(windows.shape) of \(x.shape)")
        workers.forEachRange(of: batch * steps, size: stepsPerBlock(features)) { rows, _ in
            for row in rows {
                let (first, step) = (row / steps * steps, row % steps)
                for k in 0..<size {
                    let source = step - before + k * dilation
                    let target = windows.base + (row * size + k) * features
                    if source >= 0, source < steps, counts(mask, first + source) {
                        target.update(from: x.base + (first + source) * features, count: features)
                    } else {
                        target.update(repeating: 0, count: features)
                    }
                }
            }
        }
    }

    /// The gradient of `gather`: dWindows (B, T, K F) -> dx (B, T, F), each step's terms added in the order of k.
    package func scatter(_ dWindows: Tensor, mask: Tensor?, into dx: Tensor, _ workers: Workers) {
        let (batch, steps, features) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(dWindows.shape == [batch, steps, size * features], "windows \(dWindows.shape) of \(dx.shape)")
        workers.forEachRange(of: batch * steps, size: stepsPerBlock(features)) { rows, _ in
            for row in rows {
                let (first, step) = (row / steps * steps, row % steps)
                let target = dx.base + row * features
                target.update(repeating: 0, count: features)
                guard counts(mask, row) else { continue }
                for k in 0..<size {
                    let window = step + before - k * dilation
                    guard window >= 0, window < steps else { continue }
                    vc_scale(features, 1, dWindows.base + ((first + window) * size + k) * features, true, target)
                }
            }
        }
    }

    private func counts(_ mask: Tensor?, _ row: Int) -> Bool { mask.map { $0.base[row] != 0 } ?? true }
}
