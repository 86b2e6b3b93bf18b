import RealModule

/// McNemar's exact test of whether two classifiers differ by more than chance on the same clips.
///
/// Only clips that exactly one classifier got right count. If neither is better, each of them is equally likely to be right, so that
/// the counts are binomial with probability 1/2. The p-value is two-sided: twice the smaller tail, at most 1. (Q. McNemar, "Note on the
/// sampling error of the difference between correlated proportions", 1947; T. Dietterich, "Approximate statistical tests for comparing
/// supervised classification learning algorithms", Neural Computation 10, 1998, finds it among the tests with few false alarms that need
/// only one training.)
package struct McNemar: Sendable, Equatable {
    /// The clips that only the first, and only the second, got right.
    package let onlyFirst: Int
    package let onlySecond: Int

    package init(onlyFirst: Int, onlySecond: Int) {
        precondition(onlyFirst >= 0 && onlySecond >= 0, "counts \(onlyFirst) and \(onlySecond)")
        self.onlyFirst = onlyFirst
        self.onlySecond = onlySecond
    }

    package var pValue: Double {
        let (smaller, count) = (min(onlyFirst, onlySecond), onlyFirst + onlySecond)
        guard onlyFirst != onlySecond else { return 1 }
        // The terms of the tail relative to its largest, which is the last: C(n, k) / C(n, k + 1) = (k + 1) / (n - k).
        var (term, sum) = (1.0, 1.0)
        for k in stride(from: smaller - 1, through: 0, by: -1) {
            term *= Double(k + 1) / Double(count - k)
            sum += term
            if term < sum * 1e-17 { break }
        }
        var largest = -Double(count) * Double.log(2)
        for k in 0..<smaller { largest += Double.log(Double(count - k) / Double(k + 1)) }
        return min(1, 2 * sum * Double.exp(largest))
    }
}

/// Holm's correction of p-values for several tests (S. Holm, "A simple sequentially rejective multiple test procedure", 1979): with it,
/// all tests together raise a false alarm no more often than a single one.
package enum Holm {
    /// The corrected p-values in the order of `pValues`: the i-th smallest of m times (m - i + 1), at least the correction of each smaller
    /// one, at most 1.
    package static func adjusted(_ pValues: [Double]) -> [Double] {
        let order = pValues.indices.sorted { pValues[$0] < pValues[$1] || (pValues[$0] == pValues[$1] && $0 < $1) }
        var adjusted = pValues
        var largest = 0.0
        for (rank, index) in order.enumerated() {
            largest = max(largest, min(1, pValues[index] * Double(pValues.count - rank)))
            adjusted[index] = largest
        }
        return adjusted
    }
}
