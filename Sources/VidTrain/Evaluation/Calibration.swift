/// The reliability curve and the expected calibration error, which compare a model's scores with how often it is right (Guo, Pleiss, Sun
/// and Weinberger, "On calibration of modern neural networks", ICML 2017).
///
/// Bin m of M holds the clips whose highest score is in ((m - 1) / M, m / M].
package struct Calibration: Sendable {
    package struct Bin: Sendable, Equatable {
        package var clips = 0
        package var correct = 0
        /// The sum of the highest scores.
        var sum = 0.0

        package var accuracy: Double { clips == 0 ? 0 : Double(correct) / Double(clips) }
        package var confidence: Double { clips == 0 ? 0 : sum / Double(clips) }
    }

    /// The number of bins M.
    package static let binCount = 10

    package private(set) var bins = [Bin](repeating: Bin(), count: Calibration.binCount)

    package init() {}

    /// The bin of a score; 0 for NaN, which a diverged model gives.
    package static func bin(of confidence: Double) -> Int {
        guard !confidence.isNaN else { return 0 }
        return max(0, min(binCount - 1, Int((confidence * Double(binCount)).rounded(.up)) - 1))
    }

    /// Adds a clip.
    package mutating func add(confidence: Double, bin: Int, isCorrect: Bool) {
        bins[bin].clips += 1
        bins[bin].sum += confidence
        if isCorrect { bins[bin].correct += 1 }
    }

    package mutating func removeAll() { for bin in bins.indices { bins[bin] = Bin() } }

    /// The expected calibration error: the mean of |accuracy - confidence| of the bins, weighted by their clips.
    package var expectedError: Double {
        let clips = bins.reduce(0) { $0 + $1.clips }
        return bins.reduce(0) { $0 + abs(Double($1.correct) - $1.sum) } / Double(max(clips, 1))
    }
}
