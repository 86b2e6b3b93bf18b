import RealModule

/// Softmax and cross-entropy of one clip's logits in double precision, for reports.
package enum Scores {
    /// Probabilities that sum to one.
    package static func softmax(_ logits: [Float]) -> [Float] { probabilities(logits).map { Float($0) } }

    /// -log(softmax(logits)[label]).
    package static func crossEntropy(_ logits: [Float], label: Int) -> Double { logSumExp(logits) - Double(logits[label]) }

    /// The mean of the softmaxes of several samples of a clip.
    package static func mean(_ samples: [[Float]]) -> [Float] {
        guard let first = samples.first, samples.count > 1 else { return softmax(samples.first ?? []) }
        var sums = [Double](repeating: 0, count: first.count)
        for sample in samples { for (place, value) in probabilities(sample).enumerated() { sums[place] += value } }
        return sums.map { Float($0 / Double(samples.count)) }
    }

    /// -log of the mean probability of `label` over several samples of a clip.
    package static func crossEntropy(_ samples: [[Float]], label: Int) -> Double {
        let losses = samples.map { crossEntropy($0, label: label) }
        guard losses.count > 1, let least = losses.min(), losses.allSatisfy(\.isFinite) else { return losses.first ?? .nan }
        return least - Double.log(losses.reduce(0) { $0 + Double.exp(least - $1) } / Double(losses.count))
    }

    private static func probabilities(_ logits: [Float]) -> [Double] {
        let logSum = logSumExp(logits)
        return logits.map { Double.exp(Double($0) - logSum) }
    }

    private static func logSumExp(_ logits: [Float]) -> Double {
        let largest = Double(logits.max() ?? 0)
        return largest + Double.log(logits.reduce(0) { $0 + Double.exp(Double($1) - largest) })
    }
}
