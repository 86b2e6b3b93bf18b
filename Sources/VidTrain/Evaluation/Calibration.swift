/// Whether a model's confidence matches its accuracy: the reliability curve and the expected calibration error of Guo,
/// Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (ICML 2017).
///
/// There are M bins of equal width from 0 to 1; bin m holds the clips whose highest score lies in ((m - 1) / M, m / M].
package struct Calibration: Sendable {
    package struct Bin: Sendable, Equatable {
        package var clips = 0
        package var correct = 0
        /// The sum of the highest scores.
        var sum = 0.0

        package var accuracy: Double { clips == 0 ? 0 : Double(correct) / Double(clips) }
        package var confidence: Double { clips == 0 ? 0 : sum / Double(clips) }
    }

    /// M.
    package static let binCount = 10

    package private(set) var bins = [Bin](repeating: Bin(), count: Calibration.binCount)

    package init() {}

    /// The bin of a score.
    package static func bin(of confidence: Double) -> Int {
        max(0, min(binCount - 1, Int((confidence * Double(binCount)).rounded(.up)) - 1))
    }

    /// Counts a clip.
    package mutating func add(confidence: Double, bin: Int, isCorrect: Bool) {
        bins[bin].clips += 1
        bins[bin].sum += confidence
        if isCorrect { bins[bin].correct += 1 }
    }

    package mutating func removeAll() { for bin in bins.indices { bins[bin] = Bin() } }

    /// The mean of |accuracy - confidence| over the bins, each weighted by its clips.
    package var expectedError: Double {
        let clips = bins.reduce(0) { $0 + $1.clips }
        return bins.reduce(0) { $0 + abs(Double($1.correct) - $1.sum) } / Double(max(clips, 1))
    }
}
