import VidTensor

/// Intervals of figures that no formula gives one for: the percentile bootstrap over clips (B. Efron, "Bootstrap methods:
/// another look at the jackknife", 1979).
///
/// As many clips as there are are drawn with replacement, the figures computed on them, 1000 times over; 95 % of the values
/// lie in the interval. Draws come from a stream of their own of seed 0, so that the same clips have the same intervals:
/// draw `i` takes clip `word(i) * clips >> 32`.
package enum Bootstrap {
    package static let resamples = 1000

    /// No other code draws from it.
    package static let stream: UInt64 = 0xB0 << 56

    /// The intervals of the figures that `statistics` computes of the clips at some indices: `count` of them, in its order.
    ///
    /// - Parameter statistics: writes its figures.
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
            for (figure, value) in values.enumerated() { samples[figure].append(value) }
        }
        return samples.map { Interval.percentile($0) }
    }
}
