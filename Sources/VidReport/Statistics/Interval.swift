import VidTensor

/// A 95 % confidence interval.
package struct Interval: Sendable, Equatable {
    package let low: Double
    package let high: Double

    package init(_ low: Double, _ high: Double) {
        self.low = low
        self.high = high
    }

    /// The 97.5 % point of the standard normal distribution.
    package static let normalQuantile = 1.959963984540054

    /// Wilson's score interval of a share (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    /// 1927). Unlike the normal approximation, it is sensible for few trials and for shares near 0 and 1.
    ///
    /// Nil without trials.
    package static func wilson(_ successes: Int, of trials: Int) -> Interval? {
        guard trials > 0 else { return nil }
        let (z, n) = (normalQuantile, Double(trials))
        let share = Double(successes) / n
        let denominator = 1 + z * z / n
        let centre = (share + z * z / (2 * n)) / denominator
        let half = z / denominator * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        // At the ends the formula gives 0 and 1 except for rounding.
        return Interval(successes == 0 ? 0 : max(0, centre - half), successes == trials ? 1 : min(1, centre + half))
    }

    /// The interval of F1 = 2 s / (1 + s), where s is the share of the hits among the `clips` that are of the class, predicted as it,
    /// or both (D. Hand, P. Christen and N. Kirielle, "F*: an interpretable transformation of the F-measure", 2021): Wilson's
    /// interval of s, transformed.
    ///
    /// Nil without such clips.
    package static func f1(hits: Int, of clips: Int) -> Interval? {
        wilson(hits, of: clips).map { Interval(2 * $0.low / (1 + $0.low), 2 * $0.high / (1 + $0.high)) }
    }

    /// The 2.5 % and 97.5 % points of `values`, interpolated linearly as numpy's `percentile`. Nil if they are equal except for
    /// rounding: resampling clips without an error cannot tell how many errors there may be.
    package static func percentile(_ values: [Double]) -> Interval? {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return nil }
        func quantile(_ share: Double) -> Double {
            let place = share * Double(sorted.count - 1)
            let below = Int(place.rounded(.down))
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (sorted[above] - sorted[below]) * (place - Double(below))
        }
        let (low, high) = (quantile(0.025), quantile(0.975))
        return high - low > 1e-9 ? Interval(low, high) : nil
    }
}

/// A metric with its 95 % confidence interval, if there is one.
package struct Measure: Sendable, Equatable {
    package let value: Double
    package let interval: Interval?

    package init(_ value: Double, _ interval: Interval?) {
        self.value = value
        self.interval = interval
    }

    /// The decimals that show the metric and its interval: three, or as many more, up to six, as the ends need to differ.
    package var digits: Int {
        let width = interval.map { $0.high - $0.low } ?? value
        var (digits, unit) = (3, 0.001)
        while digits < 6, width > 0, width < 2 * unit { (digits, unit) = (digits + 1, unit / 10) }
        return digits
    }

    /// A share with Wilson's interval; 0 without trials, as scikit-learn's `zero_division=0`.
    package init(_ successes: Int, of trials: Int) {
        self.init(trials == 0 ? 0 : Double(successes) / Double(trials), .wilson(successes, of: trials))
    }
}

/// Intervals of metrics without a formula for one: the percentile bootstrap over clips (B. Efron, "Bootstrap methods: another look
/// at the jackknife", 1979).
///
/// As many clips as there are are drawn with replacement and the metrics computed, 1000 times; the interval holds the middle 95 % of
/// the values. The draws come from a random stream with seed 0, so that the same clips give the same intervals: draw `i` takes clip
/// `word(i) * clips >> 32`.
package enum Bootstrap {
    package static let resamples = 1000

    /// The random stream, which no other code uses.
    package static let stream: UInt64 = 0xB0 << 56

    /// The intervals of the `count` metrics that `statistics` computes from the clips at some indices.
    ///
    /// - Parameter statistics: writes the metrics to `values`.
    package static func intervals(
        clips: Int, count: Int, _ statistics: (_ clips: [Int], _ values: inout [Double]) -> Void
    ) -> [Interval?] {
        guard clips > 0 else { return [Interval?](repeating: nil, count: count) }
        var random = RandomGenerator(seed: 0, stream: stream)
        var drawn = [Int](repeating: 0, count: clips)
        var values = [Double](repeating: .nan, count: count)
        var samples = [[Double]](repeating: [], count: count)
        for _ in 0..<resamples {
            for place in drawn.indices { drawn[place] = Int((UInt64(random.nextWord()) &* UInt64(clips)) >> 32) }
            statistics(drawn, &values)
            for (metric, value) in values.enumerated() { samples[metric].append(value) }
        }
        return samples.map { Interval.percentile($0) }
    }
}
