/// Counts of each class as the truth, as the prediction and as both, and the metrics that follow from them.
///
/// A ratio with denominator 0 is 0, as scikit-learn's `zero_division=0`. Averages are over the classes that are the truth or the
/// prediction of a clip, as in scikit-learn's `classification_report` without `labels`.
package struct ClassCounts: Sendable {
    package var support: [Int]
    package var decided: [Int]
    package var hits: [Int]

    package init(classes: Int) {
        support = [Int](repeating: 0, count: classes)
        decided = support
        hits = support
    }

    /// Adds a clip.
    package mutating func add(label: Int, decision: Int) {
        support[label] += 1
        decided[decision] += 1
        if label == decision { hits[label] += 1 }
    }

    package mutating func removeAll() {
        for label in support.indices { (support[label], decided[label], hits[label]) = (0, 0, 0) }
    }

    package func precision(_ label: Int) -> Double { ratio(hits[label], decided[label]) }
    package func recall(_ label: Int) -> Double { ratio(hits[label], support[label]) }

    /// The harmonic mean of precision and recall: 2 hits / (support + decided).
    package func f1(_ label: Int) -> Double { ratio(2 * hits[label], support[label] + decided[label]) }

    /// Precision, recall and F1, averaged over the classes.
    package struct Averages: Sendable, Equatable {
        package var precision = 0.0
        package var recall = 0.0
        package var f1 = 0.0
    }

    /// Unweighted averages over the classes.
    package var macro: Averages { averages { support[$0] + decided[$0] > 0 ? 1 : 0 } }

    /// Averages weighted by the classes' clips.
    package var weighted: Averages { averages { Double(support[$0]) } }

    /// The mean recall of the classes with clips, which is the accuracy if all classes had equally many.
    package var balancedAccuracy: Double {
        var (sum, classes) = (0.0, 0)
        for label in support.indices where support[label] > 0 {
            sum += recall(label)
            classes += 1
        }
        return sum / Double(max(classes, 1))
    }

    private func averages(_ weight: (Int) -> Double) -> Averages {
        var sums = Averages()
        var total = 0.0
        for label in support.indices {
            let weight = weight(label)
            guard weight > 0 else { continue }
            sums.precision += weight * precision(label)
            sums.recall += weight * recall(label)
            sums.f1 += weight * f1(label)
            total += weight
        }
        guard total > 0 else { return sums }
        return Averages(precision: sums.precision / total, recall: sums.recall / total, f1: sums.f1 / total)
    }

    private func ratio(_ numerator: Int, _ denominator: Int) -> Double {
        denominator == 0 ? 0 : Double(numerator) / Double(denominator)
    }
}
