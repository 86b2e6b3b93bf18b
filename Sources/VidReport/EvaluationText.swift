import VidTrain

/// An evaluation as a person reads it: headline, a line a class, the confusion matrix where it fits.
package enum EvaluationText {
    package static func text(_ evaluation: Evaluation) -> String {
        var text = "accuracy \(Formatting.fixed(evaluation.accuracy, 4))"
        if evaluation.classes.count > 5 { text += "   top-5 accuracy \(Formatting.fixed(evaluation.topAccuracy(5), 4))" }
        text += "   loss \(Formatting.fixed(evaluation.loss, 4))   " + Formatting.count(evaluation.clips.count, "clip") + "\n\n"
        var rows = [["class", "clips", "precision", "recall", "f1"]]
        for entry in evaluation.perClass {
            rows.append([
                entry.label, "\(entry.support)", Formatting.fixed(entry.precision, 3), Formatting.fixed(entry.recall, 3),
                Formatting.fixed(entry.f1, 3),
            ])
        }
        text += Formatting.table(rows, right: [1, 2, 3, 4])
        return text + confusion(evaluation)
    }

    /// Rows are the truth; columns, numbered as the rows, the decision. Left out over twenty classes.
    private static func confusion(_ evaluation: Evaluation) -> String {
        let count = evaluation.classes.count
        guard (2...20).contains(count) else { return "" }
        var rows = [["truth \\ decision"] + (1...count).map { "\($0)" }]
        for (index, line) in evaluation.confusion.enumerated() {
            rows.append(["\(index + 1) \(evaluation.classes[index])"] + line.map { $0 == 0 ? "." : "\($0)" })
        }
        return "\n" + Formatting.table(rows, right: Set(1...count))
    }
}
