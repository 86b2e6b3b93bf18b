import VidSystem
import VidTensor
import VidTrain

/// An evaluation for people: the main metrics, a line for each class, the confusion matrix if it fits, the most frequent confusions.
package enum EvaluationText {
    /// - Parameter width: columns to keep within.
    package static func text(_ evaluation: Evaluation, _ metrics: EvaluationMetrics, width: Int = 80) -> String {
        func fixed(_ value: Double, _ digits: Int) -> String { Formatting.fixed(value, digits) }
        func paragraph(_ text: String) -> String { Terminal.paragraph(text, indent: 2, columns: width) }
        let interval = metrics.accuracy.interval.map { " (95 % interval: \(fixed($0.low, 3)) to \(fixed($0.high, 3)))" } ?? ""
        var text = paragraph(
            "accuracy \(fixed(evaluation.accuracy, 4))\(interval)   loss \(fixed(evaluation.loss, 4))   "
                + Formatting.count(evaluation.clips.count, "clip"))
        text += paragraph(
            (evaluation.classes.count > 5 ? "top-5 accuracy \(fixed(evaluation.topAccuracy(5), 4))   " : "")
                + "expected calibration error \(fixed(metrics.calibrationError.value, 4))")
        if metrics.majority.share > 0 {
            let name = metrics.classes[metrics.majority.label].printable.shortened(toColumns: 30)
            text += paragraph("Always guessing \"\(name)\" would be right \(fixed(metrics.majority.share * 100, 0)) % of the time.")
        }
        if let unfamiliar = evaluation.unfamiliarClips, unfamiliar > 0 {
            let count = Formatting.count(unfamiliar, "clip")
            text += paragraph("\(count) \(unfamiliar == 1 ? "looks" : "look") unlike the training clips.")
        }
        // The other columns use up to 53, the intervals 17 of them.
        let hasIntervals = width >= 61
        var rows = [["class", "clips", "precision", "recall", "f1"] + (hasIntervals ? ["recall (95 %)"] : [])]
        for (name, entry) in zip(names(evaluation.classes, atMost: max(8, width - (hasIntervals ? 53 : 36))), metrics.perClass) {
            let interval = entry.recall.interval.map { "\(fixed($0.low, 2)) to \(fixed($0.high, 2))" } ?? "-"
            // A class that was never answered has no precision, one without clips no recall.
            let values = [
                (entry.precision, entry.decided > 0), (entry.recall, entry.support > 0), (entry.f1, entry.decided + entry.support > 0),
            ].map { $1 ? fixed($0.value, 3) : "-" }
            rows.append([name, "\(entry.support)"] + values + (hasIntervals ? [interval] : []))
        }
        return text + "\n" + Formatting.table(rows, right: [1, 2, 3, 4, 5]) + confusion(evaluation, width) + pairs(metrics, width)
    }

    /// Rows are the true classes; columns, with the numbers of the rows, the model's answers. Left out if it is too wide.
    private static func confusion(_ evaluation: Evaluation, _ width: Int) -> String {
        let count = evaluation.classes.count
        guard count >= 2 else { return "" }
        let cells = evaluation.confusion.map { $0.map { $0 == 0 ? "." : "\($0)" } }
        let numbers = (1...count).map { "\($0)" }
        let cell = (cells.joined().map(\.count) + numbers.map(\.count)).max() ?? 1
        let left = width - 2 - count * (cell + 2)
        guard left >= 15 else {
            return "\n"
                + Terminal.paragraph(
                    "The confusion matrix of \(count) classes is wider than this terminal; a report shows it.", indent: 2, columns: width)
        }
        let names = names(evaluation.classes, atMost: min(40, left - 4))
        let rows = cells.enumerated().map { ["\($0 + 1) \(names[$0])"] + $1 }
        return "\n" + Formatting.table([["true \\ answer"] + numbers] + rows, right: Set(1...count))
    }

    private static func pairs(_ metrics: EvaluationMetrics, _ width: Int) -> String {
        let pairs = metrics.confusions(atMost: 5)
        guard !pairs.isEmpty else { return "" }
        let names = names(metrics.classes, atMost: max(8, (width - 48) / 2))
        func quoted(_ label: Int) -> String { "\"\(names[label])\"" }
        return "\nMost often confused\n"
            + pairs.map {
                "  \($0.clips) of \(metrics.perClass[$0.truth].support) \(quoted($0.truth)) clips \($0.clips == 1 ? "was" : "were") classified as \(quoted($0.decision))\n"
            }.joined()
    }

    private static func names(_ classes: [String], atMost length: Int) -> [String] {
        classes.map { $0.printable.shortened(toColumns: length) }
    }
}
