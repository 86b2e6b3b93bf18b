import CKernels

/// Sums in a fixed order.
package enum Reductions {
    private static let block = 1 << 15

    /// The sum of squares of all elements, in double precision: blocks of 32,768 elements, added in order.
    package static func sumOfSquares(_ x: Tensor, _ workers: Workers) -> Double {
        let blocks = (x.count + block - 1) / block
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: max(blocks, 1)) { partial in
            workers.forEachRange(of: x.count, size: block) { range, _ in
                partial[range.lowerBound / block] = vc_sum_of_squares(range.count, x.base + range.lowerBound)
            }
            var sum = 0.0
            for index in 0..<blocks { sum += partial[index] }
            return sum
        }
    }

    /// out[c] += the sum of column c of x (rows, columns), rows in order, in double precision. A bias's gradient.
    package static func addColumnSums(_ x: Tensor, to out: Tensor, _ workers: Workers) {
        let columns = x.shape.last
        precondition(out.count == columns, "column sums of \(x.shape) into \(out.shape)")
        workers.forEachRange(of: columns, size: 64) { range, _ in
            let at = range.lowerBound
            vc_column_sums(x.count / columns, range.count, columns, x.base + at, nil, 0, 1, true, out.base + at)
        }
    }

    /// The mean over the steps that count: x (B, T, F), mask (B, T) or nil -> out (B, F); 0 where no step counts.
    package static func meanOverTime(_ x: Tensor, mask: Tensor?, into out: Tensor, _ workers: Workers) {
        let (batch, steps, features) = (x.shape[0], x.shape[1], x.shape[2])
        precondition(out.shape == [batch, features], "mean over time of \(x.shape) into \(out.shape)")
        workers.forEach(batch) { clip, _ in
            vc_column_sums(
                steps, features, features, x.base + clip * steps * features, mask.map { UnsafePointer($0.base + clip * steps) }, 1,
                share(clip, mask, steps), false, out.base + clip * features)
        }
    }

    /// The gradient of `meanOverTime`: dOut (B, F) -> dx (B, T, F).
    package static func meanOverTimeGradient(_ dOut: Tensor, mask: Tensor?, into dx: Tensor, _ workers: Workers) {
        let (batch, steps, features) = (dx.shape[0], dx.shape[1], dx.shape[2])
        precondition(dOut.shape == [batch, features], "gradient \(dOut.shape) of a mean over time of \(dx.shape)")
        workers.forEach(batch) { clip, _ in
            let factor = share(clip, mask, steps)
            for step in 0..<steps {
                let weight = mask.map { $0.base[clip * steps + step] } ?? 1
                vc_scale(
                    features, factor * weight, dOut.base + clip * features, false, dx.base + (clip * steps + step) * features)
            }
        }
    }

    /// 1 / (the number of steps of a clip that count), 0 without any.
    private static func share(_ clip: Int, _ mask: Tensor?, _ steps: Int) -> Float {
        guard let mask else { return 1 / Float(steps) }
        var sum: Float = 0
        for step in 0..<steps { sum += mask.base[clip * steps + step] }
        return sum > 0 ? 1 / sum : 0
    }
}
