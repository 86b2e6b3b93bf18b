import VidSystem
import VidTensor
import VidTrain

/// An evaluation as a person reads it: headline, a line a class, the confusion matrix where it fits, what is confused most.
package enum EvaluationText {
    /// - Parameter width: columns that there are.
    package static func text(_ evaluation: Evaluation, _ metrics: EvaluationMetrics, width: Int = 80) -> String {
        var headline = "accuracy \(Formatting.fixed(evaluation.accuracy, 4))"
        if let interval = metrics.accuracy.interval {
            headline += " (95 %: \(Formatting.fixed(interval.low, 3)) to \(Formatting.fixed(interval.high, 3)))"
        }
        headline += "   loss \(Formatting.fixed(evaluation.loss, 4))   " + Formatting.count(evaluation.clips.count, "clip")
        var text = DataReportText.wrapped(headline, indent: "  ", width: width)
        var more = evaluation.classes.count > 5 ? ["top-5 accuracy \(Formatting.fixed(evaluation.topAccuracy(5), 4))"] : []
        more.append("expected calibration error \(Formatting.fixed(metrics.calibrationError.value, 4))")
        text += DataReportText.wrapped(more.joined(separator: "; "), indent: "  ", width: width)
        if metrics.majority.share > 0 {
            let name = metrics.classes[metrics.majority.label].printable.shortened(toColumns: 30)
            text += DataReportText.wrapped(
                "always saying \"\(name)\" would be right on \(Formatting.fixed(metrics.majority.share, 4))", indent: "  ", width: width)
        }
        // The other columns take 52, the intervals 16 of them.
        let hasIntervals = width >= 60
        var rows = [["class", "clips", "precision", "recall", "f1"] + (hasIntervals ? ["recall, 95 %"] : [])]
        let names = names(evaluation.classes, atMost: max(8, width - (hasIntervals ? 52 : 36)))
        for (name, entry) in zip(names, metrics.perClass) {
            let interval = entry.recall.interval.map { "\(Formatting.fixed($0.low, 2)) to \(Formatting.fixed($0.high, 2))" } ?? "-"
            rows.append(
                [
                    name, "\(entry.support)", Formatting.fixed(entry.precision.value, 3), Formatting.fixed(entry.recall.value, 3),
                    Formatting.fixed(entry.f1.value, 3),
                ] + (hasIntervals ? [interval] : []))
        }
        text += "\n" + Formatting.table(rows, right: [1, 2, 3, 4, 5])
        return text + confusion(evaluation, width) + pairs(metrics, width)
    }

    /// Rows are the truth; columns, numbered as the rows, the decision. Left out where it is wider than the terminal.
    private static func confusion(_ evaluation: Evaluation, _ width: Int) -> String {
        let count = evaluation.classes.count
        guard count >= 2 else { return "" }
        let cells = evaluation.confusion.map { $0.map { $0 == 0 ? "." : "\($0)" } }
        let numbers = (1...count).map { "\($0)" }
        let cell = (cells.joined().map(\.count) + numbers.map(\.count)).max() ?? 1
        let left = width - 2 - count * (cell + 2)
        guard left >= 16 else {
            return "\nthe confusion matrix of \(count) classes is wider than this terminal; the report has it\n"
        }
        let names = names(evaluation.classes, atMost: min(40, left - 4))
        var rows = [["truth \\ decision"] + numbers]
        for (index, line) in cells.enumerated() { rows.append(["\(index + 1) \(names[index])"] + line) }
        return "\n" + Formatting.table(rows, right: Set(1...count))
    }

    private static func pairs(_ metrics: EvaluationMetrics, _ width: Int) -> String {
        let pairs = metrics.confusions(atMost: 5)
        guard !pairs.isEmpty else { return "" }
        let name = (width - 34) / 2
        return "\nmost often confused\n"
            + pairs.map { pair in
                "  \(pair.clips) of \(Formatting.count(metrics.perClass[pair.truth].support, "clip")) of "
                    + "\(metrics.classes[pair.truth].printable.shortened(toColumns: max(8, name))) taken for "
                    + "\(metrics.classes[pair.decision].printable.shortened(toColumns: max(8, name)))\n"
            }.joined()
    }

    private static func names(_ classes: [String], atMost length: Int) -> [String] {
        classes.map { $0.printable.shortened(toColumns: length) }
    }
}
