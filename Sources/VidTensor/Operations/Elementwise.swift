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

    /// z = activation(a + b), element by element; z may be a or b. The end of a residual block.
    package static func add(_ a: Tensor, _ b: Tensor, activation: ActivationKind = .linear, into z: Tensor, _ workers: Workers) {
        precondition(a.count == b.count && a.count == z.count, "\(a.shape), \(b.shape), \(z.shape)")
        workers.forEachRange(of: a.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_add_activate(activation.code, range.count, a.base + at, b.base + at, z.base + at)
        }
    }

    /// d = dz * activation'(a + b), the gradient of a and of b alike; d may be any of the arguments.
    ///
    /// Where the slope is a function of the output, `Activations.backward(_:output:_:into:_:)` gives it without a and b.
    package static func addGradient(
        _ a: Tensor, _ b: Tensor, activation: ActivationKind, _ dz: Tensor, into d: Tensor, _ workers: Workers
    ) {
        precondition(
            a.count == b.count && a.count == dz.count && a.count == d.count, "\(a.shape), \(b.shape), \(dz.shape), \(d.shape)")
        workers.forEachRange(of: a.count, size: block) { range, _ in
            let at = range.lowerBound
            vc_add_activate_gradient(activation.code, range.count, a.base + at, b.base + at, dz.base + at, d.base + at)
        }
    }

    /// y = x (N, H, W, C) times a gate for each frame and channel, (N, 1, 1, C) or (N, C); y may be x.
    ///
    /// With dy in the place of x it gives the gradient of x.
    package static func scaleChannels(_ x: Tensor, by gate: Tensor, into y: Tensor, _ workers: Workers) {
        let (frames, positions, channels) = checkGate(x, gate)
        precondition(x.count == y.count, "\(x.shape), \(y.shape)")
        let step = min(positions, max(1, block / channels))
        let blocks = (positions + step - 1) / step
        workers.forEach(frames * blocks) { index, _ in
            let (frame, first) = (index / blocks, index % blocks * step)
            let at = (frame * positions + first) * channels
            vc_scale_channels(min(step, positions - first), channels, x.base + at, gate.base + frame * channels, y.base + at)
        }
    }

    /// dGate (N, 1, 1, C) or (N, C), overwritten, of `scaleChannels`: the sum of x * dy over each frame's positions, in order and
    /// in double precision; 64 channels of a frame are a block.
    package static func scaleChannelsGateGradient(_ x: Tensor, _ dy: Tensor, into dGate: Tensor, _ workers: Workers) {
        let (frames, positions, channels) = checkGate(x, dGate)
        precondition(x.count == dy.count, "\(x.shape), \(dy.shape)")
        let panel = 64
        let panels = (channels + panel - 1) / panel
        workers.forEach(frames * panels) { index, _ in
            let (frame, first) = (index / panels, index % panels * panel)
            let at = frame * positions * channels + first
            vc_column_products(
                positions, min(panel, channels - first), channels, x.base + at, dy.base + at, dGate.base + frame * channels + first)
        }
    }

    private static func checkGate(_ x: Tensor, _ gate: Tensor) -> (frames: Int, positions: Int, channels: Int) {
        precondition(
            x.shape.rank == 4 && gate.shape[0] == x.shape[0] && gate.count == x.shape[0] * x.shape[3], "\(gate.shape) for \(x.shape)")
        return (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
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
