import VidModel

/// One clip's scores.
package struct ClipScores: Sendable {
    /// Relative to the data folder.
    package let clip: String
    /// The true class, an index into the classes.
    package let label: Int
    /// Probabilities, one a class.
    package let scores: [Float]

    package init(clip: String, label: Int, scores: [Float]) {
        self.clip = clip
        self.label = label
        self.scores = scores
    }

    /// The class with the highest score; the first of equals.
    package var decision: Int { scores.indices.max { scores[$0] < scores[$1] || (scores[$0] == scores[$1] && $0 > $1) } ?? 0 }

    /// Whether the true class is among the `k` highest scores, as `CategoricalMetrics` counts it.
    package func isInTop(_ k: Int) -> Bool {
        scores.withUnsafeBufferPointer { CategoricalMetrics.isInTop(k, scores: $0, label: label) }
    }
}

/// How well a classifier does on labelled clips.
package struct Evaluation: Sendable {
    /// One class's figures; a ratio without a denominator is 0, as scikit-learn's `zero_division=0`.
    package struct PerClass: Sendable, Equatable {
        package let label: String
        package let support: Int
        package let precision: Double
        package let recall: Double
        package let f1: Double
    }

    package let classes: [String]
    package let clips: [ClipScores]
    /// Mean categorical cross-entropy, natural logarithm, without label smoothing.
    package let loss: Double
    /// Rows are the truth, columns the decision.
    package let confusion: [[Int]]

    /// - Parameter losses: cross-entropy of each clip, summed in this order.
    package init(classes: [String], clips: [ClipScores], losses: [Double]) {
        self.classes = classes
        self.clips = clips
        loss = losses.reduce(0, +) / Double(max(losses.count, 1))
        var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes.count), count: classes.count)
        for clip in clips { confusion[clip.label][clip.decision] += 1 }
        self.confusion = confusion
    }

    package var accuracy: Double { topAccuracy(1) }

    /// Categorical accuracy; with `k` over one, top-k categorical accuracy. A clip whose decision is its label counts.
    package func topAccuracy(_ k: Int) -> Double {
        Double(clips.count { $0.isInTop(k) }) / Double(max(clips.count, 1))
    }

    /// The mean of the classes' F1; classes that are neither the truth nor the decision of any clip are left out, as
    /// scikit-learn does.
    package var macroF1: Double {
        let metrics = zip(classes.indices, perClass).filter { index, metrics in
            metrics.support > 0 || confusion.contains { $0[index] > 0 }
        }.map(\.1)
        return metrics.reduce(0) { $0 + $1.f1 } / Double(max(metrics.count, 1))
    }

    package var perClass: [PerClass] {
        classes.indices.map { index in
            let hits = Double(confusion[index][index])
            let support = confusion[index].reduce(0, +)
            let decided = confusion.reduce(0) { $0 + $1[index] }
            let precision = decided == 0 ? 0 : hits / Double(decided)
            let recall = support == 0 ? 0 : hits / Double(support)
            let f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall)
            return PerClass(label: classes[index], support: support, precision: precision, recall: recall, f1: f1)
        }
    }
}
