import VidConfig
import VidSystem
import VidTensor

/// The weight of each class in the loss.
package enum ClassWeighting {
    /// One weight a class, in the order of `classes`; nil where every clip counts the same.
    ///
    /// Balanced: n / (k n_c) of n clips in k classes with n_c of this class, as scikit-learn's `compute_class_weight`.
    ///
    /// - Parameter labels: of the training clips.
    /// - Throws: `.badData` for a label that is none of the classes.
    package static func weights(_ configuration: ClassWeights, classes: [String], labels: [Int]) throws -> [Float]? {
        switch configuration {
        case .none: return nil
        case .balanced:
            var counts = [Int](repeating: 0, count: classes.count)
            for label in labels { counts[label] += 1 }
            return counts.map { Float(Double(labels.count) / (Double(classes.count) * Double(max($0, 1)))) }
        case .byLabel(let named):
            var weights = [Float](repeating: 1, count: classes.count)
            for entry in named {
                guard let place = classes.firstIndex(where: { Array($0.utf8) == Array(entry.label.utf8) }) else {
                    let hint = nearestWord(to: entry.label, among: classes).map { "; did you mean \"\($0.printable)\"?" } ?? ""
                    throw VidclassError(
                        .badData, "training.class_weights: there is no class \"\(entry.label.printable)\" in the data\(hint)")
                }
                weights[place] = Float(entry.weight)
            }
            return weights
        }
    }
}
