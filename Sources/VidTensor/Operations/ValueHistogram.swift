/// The number of values in each of several bins of equal width between the smallest and the largest value.
package struct ValueHistogram: Sendable, Equatable {
    /// The smallest and the largest value; both 0 if there are none.
    package let low: Float
    package let high: Float
    /// The count of each bin from `low` to `high`. A bin includes its lower bound, the last one its upper bound too. There is one
    /// bin if all values are equal, and none if there are no values.
    package let counts: [Int]

    private static let block = 1 << 16

    /// Counts the finite values of `x`, in two passes over it. The result is the same at any thread count.
    package init(_ x: Tensor, bins: Int = 30, _ workers: Workers) {
        precondition(bins > 0, "\(bins) bins")
        let blocks = (x.count + ValueHistogram.block - 1) / ValueHistogram.block
        var (low, high) = (Float.infinity, -Float.infinity)
        withUnsafeTemporaryAllocation(of: (low: Float, high: Float).self, capacity: max(blocks, 1)) { ranges in
            workers.forEachRange(of: x.count, size: ValueHistogram.block) { range, _ in
                ranges[range.lowerBound / ValueHistogram.block] = ValueHistogram.bounds(x.base + range.lowerBound, range.count)
            }
            for range in ranges.prefix(blocks) { (low, high) = (min(low, range.low), max(high, range.high)) }
        }
        guard low <= high else {
            (self.low, self.high, counts) = (0, 0, [])
            return
        }
        (self.low, self.high) = (low, high)
        let bins = low == high ? 1 : bins
        let scale = low == high ? 0 : Double(bins) / (Double(high) - Double(low))
        var sums = [Int](repeating: 0, count: bins)
        withUnsafeTemporaryAllocation(of: Int.self, capacity: workers.count * bins) { partial in
            partial.initialize(repeating: 0)
            workers.forEachRange(of: x.count, size: ValueHistogram.block) { range, worker in
                let own = partial.baseAddress.map { $0 + worker * bins }
                guard let own else { return }
                for index in range where x.base[index].isFinite {
                    own[min(bins - 1, Int((Double(x.base[index]) - Double(low)) * scale))] += 1
                }
            }
            for index in partial.indices { sums[index % bins] += partial[index] }
        }
        counts = sums
    }

    /// The bounds and count of each bin; a single value gets a bin of width 1 around it.
    package var bins: [(low: Double, high: Double, count: Int)] {
        guard low < high else { return counts.map { (Double(low) - 0.5, Double(high) + 0.5, $0) } }
        let width = (Double(high) - Double(low)) / Double(counts.count)
        return counts.enumerated().map { index, count in
            (
                Double(low) + width * Double(index),
                index + 1 == counts.count ? Double(high) : Double(low) + width * Double(index + 1), count
            )
        }
    }

    /// The smallest and largest finite value, or an empty range.
    private static func bounds(_ x: UnsafePointer<Float>, _ count: Int) -> (low: Float, high: Float) {
        var (low, high) = (Float.infinity, -Float.infinity)
        for index in 0..<count where x[index].isFinite {
            low = x[index] < low ? x[index] : low
            high = x[index] > high ? x[index] : high
        }
        return (low, high)
    }
}
