import VidConfig
import VidSystem

/// The weight of each class in the loss.
package enum ClassWeighting {
    /// One weight per class, in the order of `classes`; nil where all clips count the same.
    ///
    /// Balanced: n / (k n_c), with n clips, k classes and n_c clips of the class, as scikit-learn's `compute_class_weight`.
    ///
    /// A weight of 0 takes the clips of a class out of the loss and its gradient. They still count as clips: the loss is the sum of the
    /// weighted losses divided by the number of clips, as in Keras, so it is defined even if all clips of a batch have the weight 0.
    ///
    /// - Parameter labels: of the training clips.
    /// - Throws: `.badData` for a label that is not among the classes, and if all training clips have the weight 0.
    package static func weights(_ configuration: ClassWeights, classes: [String], labels: [Int]) throws -> [Float]? {
        switch configuration {
        case .none: return nil
        case .balanced:
            var counts = [Int](repeating: 0, count: classes.count)
            for label in labels { counts[label] += 1 }
            let (clips, classes) = (Double(labels.count), Double(classes.count))
            return counts.map { Float(clips / (classes * Double(max($0, 1)))) }
        case .byLabel(let named):
            var weights = [Float](repeating: 1, count: classes.count)
            for entry in named {
                weights[try classIndex(entry.label, among: classes, for: "training.class_weights")] = Float(entry.weight)
            }
            guard labels.isEmpty || labels.contains(where: { weights[$0] > 0 }) else {
                throw VidclassError(
                    .badData,
                    "training.class_weights: every class of the training clips has the weight 0, so nothing would be learned. Expected a "
                        + "weight above 0 for one of them at least; labels that are not named have 1. For equal weights: "
                        + ShellText.setting("training.class_weights", "null"))
            }
            return weights
        }
    }

    /// The index of the class called `label`, compared byte by byte.
    ///
    /// - Throws: `.badData` where there is none, with what asked for it, the nearest class and a list of them.
    static func classIndex(_ label: String, among classes: [String], for origin: String) throws -> Int {
        if let index = classes.firstIndex(where: { $0.hasSameBytes(as: label) }) { return index }
        let hint = nearestWord(to: label, among: classes).map { "; did you mean \"\($0.printable)\"?" } ?? "."
        let names = classes.prefix(20).map { "\"\($0.printable)\"" }.joined(separator: ", ") + (classes.count > 20 ? ", ..." : "")
        throw VidclassError(
            .badData, "\(origin): there is no class \"\(label.printable)\" in the data\(hint) The classes are \(names)")
    }
}
