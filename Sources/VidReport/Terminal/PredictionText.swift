import VidSystem

/// The scores of one input for people: the model's answer, how far it is ahead, and a bar for each class.
///
///     holiday.mp4
///       looks like climbing (93 %, well ahead)
///       climbing  93.1 %  ██████████████████▌
///       cooking    4.2 %  ▊
package enum PredictionText {
    /// How far the best score must be ahead of the next to be called well ahead or probable.
    private static let clearMargin = 0.5
    private static let likelyMargin = 0.2
    private static let mostCells = 20
    /// The note on an input that looks unlike the training clips.
    private static let unfamiliar = "looks unlike the training clips: treat the answer with care."

    /// - Parameters:
    ///   - ranked: the labels and scores to show, best first.
    ///   - decision: the line about all scores (`decision(_:)`).
    ///   - isUnfamiliar: whether the input looks unlike the training clips.
    package static func text(
        _ name: String, ranked: [(label: String, score: Float)], decision: String, isUnfamiliar: Bool = false, style: OutputStyle
    ) -> String {
        var text = style.paint(style.fitted(name.printable), .bold) + "\n"
        text += "  " + style.fitted(decision, indent: 2) + "\n"
        if isUnfamiliar { text += paragraph("This \(unfamiliar)", style) }
        let scores = ranked.map { tenths($0.score) }
        let scoreColumns = scores.map(\.columns).max() ?? 0
        let longest = ranked.map(\.label.printable.columns).max() ?? 0
        // A bar has at least eight columns, and so has a label.
        let labelColumns = style.columns.map { min(longest, max(8, $0 - 14 - scoreColumns)) } ?? longest
        let cells = style.columns.map { min(mostCells, $0 - 6 - labelColumns - scoreColumns) } ?? mostCells
        for (rank, entry) in ranked.enumerated() {
            let label = entry.label.printable.shortened(toColumns: labelColumns).padded(toColumns: labelColumns)
            let score = String(repeating: " ", count: scoreColumns - scores[rank].columns) + scores[rank]
            let bar = ScoreBar.text(Double(entry.score), columns: cells)
            text += "  \(label)  \(score)" + (bar.isEmpty ? "" : "  " + style.paint(bar, rank == 0 ? .green : .dim)) + "\n"
        }
        return text
    }

    /// Explains the mark of inputs that look unlike the training clips.
    package static func legend(_ mark: String, style: OutputStyle) -> String { paragraph("\(mark) \(unfamiliar)", style) }

    private static func paragraph(_ text: String, _ style: OutputStyle) -> String {
        Terminal.paragraph("  " + text, indent: 2, columns: style.columns ?? .max)
    }

    /// The model's answer in words that depend on how far the best score is ahead of the next. Scores are not probabilities of
    /// being right: a model may be far ahead and wrong.
    package static func decision(_ ranked: [(label: String, score: Float)]) -> String {
        guard let best = ranked.first else { return "no classes" }
        let name = best.label.printable
        guard ranked.count > 1 else { return "\(name) (the model knows no other class)" }
        let next = ranked[1]
        guard best.score.isFinite, next.score.isFinite else { return "no answer: the scores are not numbers" }
        let margin = Double(best.score) - Double(next.score)
        if margin >= clearMargin { return "looks like \(name) (\(percent(best.score)), well ahead)" }
        if margin >= likelyMargin {
            return "probably \(name) (\(percent(best.score))), possibly \(next.label.printable) (\(percent(next.score)))"
        }
        return "not sure: \(name) (\(percent(best.score))) or \(next.label.printable) (\(percent(next.score)))"
    }

    /// Whether the best score is less than 0.5 ahead of the next, where the text says "probably" or "not sure".
    package static func isDoubtful(_ ranked: [(label: String, score: Float)]) -> Bool {
        ranked.count > 1 && !(Double(ranked[0].score) - Double(ranked[1].score) >= clearMargin)
    }

    /// "93 %". A score below 1 is never rounded to 100 %: "over 99 %".
    private static func percent(_ score: Float) -> String {
        if score < 1, score >= 0.995 { return "over 99 %" }
        return percent(score, digits: 0)
    }

    /// "93.1 %". A score is never rounded to 100 % or 0 %: ">99.9 %", "<0.1 %".
    private static func tenths(_ score: Float) -> String {
        if score < 1, score >= 0.9995 { return ">99.9 %" }
        if score > 0, score < 0.0005 { return "<0.1 %" }
        return percent(score, digits: 1)
    }

    private static func percent(_ score: Float, digits: Int) -> String { Formatting.fixed(Double(score) * 100, digits) + " %" }
}
