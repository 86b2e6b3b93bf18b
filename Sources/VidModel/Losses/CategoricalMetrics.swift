import VidTensor

/// Counts of correct answers, for categorical accuracy and top-k accuracy. The counts of parts of a data set add up.
package struct CategoricalMetrics: Sendable, Equatable {
    /// Clips counted.
    package private(set) var clips = 0
    /// Clips whose label has the highest score.
    package private(set) var correct = 0
    /// Clips whose label is among the k highest scores.
    package private(set) var correctInTopK = 0
    /// k of the top-k accuracy.
    package let k: Int

    package init(k: Int = 5) { self.k = k }

    /// 0 before any clip.
    package var accuracy: Double { clips > 0 ? Double(correct) / Double(clips) : 0 }

    /// 0 before any clip.
    package var topKAccuracy: Double { clips > 0 ? Double(correctInTopK) / Double(clips) : 0 }

    /// Counts a clip by its scores; logits and probabilities have the same ranks.
    package mutating func add(scores: UnsafePointer<Float>, classes: Int, label: Int) {
        let scores = UnsafeBufferPointer(start: scores, count: classes)
        clips += 1
        if CategoricalMetrics.isInTop(1, scores: scores, label: label) { correct += 1 }
        if CategoricalMetrics.isInTop(k, scores: scores, label: label) { correctInTopK += 1 }
    }

    /// Counts each row of scores (B, classes).
    package mutating func add(scores: Tensor, labels: [Int]) {
        let classes = scores.shape[1]
        precondition(labels.count == scores.shape[0], "\(labels.count) labels for scores \(scores.shape)")
        for (row, label) in labels.enumerated() { add(scores: scores.base + row * classes, classes: classes, label: label) }
    }

    /// Adds the counts of another part; both have the same k.
    package mutating func add(_ other: CategoricalMetrics) {
        precondition(k == other.k, "top-\(k) and top-\(other.k) do not add up")
        clips += other.clips
        correct += other.correct
        correctInTopK += other.correctInTopK
    }

    /// Whether the true class is among the `k` highest scores. NaN ranks before every number but never counts as correct.
    ///
    /// With k = 1 the first of equal scores is the highest, as argmax decides; with k > 1 all of them are among the k highest
    /// if one of them is, as in Keras's in_top_k.
    package static func isInTop(_ k: Int, scores: UnsafeBufferPointer<Float>, label: Int) -> Bool {
        let own = scores[label]
        if own.isNaN { return false }
        var before = 0
        for other in scores.indices where other != label {
            if !(scores[other] <= own) || (k == 1 && scores[other] == own && other < label) { before += 1 }
        }
        return before < k
    }
}
