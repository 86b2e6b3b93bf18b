/// A range that holds the true value with 95 % confidence.
package struct Interval: Sendable, Equatable {
    package let low: Double
    package let high: Double

    package init(_ low: Double, _ high: Double) {
        self.low = low
        self.high = high
    }

    /// The 97.5 % point of the standard normal distribution.
    package static let normalQuantile = 1.959963984540054

    /// Wilson's score interval of a share (E. B. Wilson, "Probable inference, the law of succession, and statistical
    /// inference", 1927): sensible for few trials and for shares near 0 and 1, where the normal approximation is not.
    ///
    /// Nil without trials.
    package static func wilson(_ successes: Int, of trials: Int) -> Interval? {
        guard trials > 0 else { return nil }
        let (z, n) = (normalQuantile, Double(trials))
        let share = Double(successes) / n
        let denominator = 1 + z * z / n
        let centre = (share + z * z / (2 * n)) / denominator
        let half = z / denominator * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        // At the ends the formula gives 0 and 1 but for rounding.
        return Interval(successes == 0 ? 0 : max(0, centre - half), successes == trials ? 1 : min(1, centre + half))
    }

    /// The interval of an F1 of `hits`: F1 = 2 s / (1 + s), where s is the share of the hits among the clips that are of the
    /// class, said to be of it, or both (D. Hand, P. Christen and N. Kirielle, "F*: an interpretable transformation of the
    /// F-measure", 2021); Wilson's interval of s, carried over.
    ///
    /// Nil without such clips.
    package static func f1(hits: Int, of clips: Int) -> Interval? {
        wilson(hits, of: clips).map { Interval(2 * $0.low / (1 + $0.low), 2 * $0.high / (1 + $0.high)) }
    }

    /// The 2.5 % and 97.5 % points of `values`, between two of them linearly, as numpy's `percentile`. Nil where they are the
    /// same but for rounding: resampling clips without an error says nothing of how many there may be.
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

/// A figure and the range that its true value lies in with 95 % confidence, where one can be given.
package struct Measure: Sendable, Equatable {
    package let value: Double
    package let interval: Interval?

    package init(_ value: Double, _ interval: Interval?) {
        self.value = value
        self.interval = interval
    }

    /// A share of counted things with Wilson's interval; 0 where there are none, as scikit-learn's `zero_division=0`.
    package init(_ successes: Int, of trials: Int) {
        self.init(trials == 0 ? 0 : Double(successes) / Double(trials), .wilson(successes, of: trials))
    }
}
