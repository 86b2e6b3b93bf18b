import VidSystem
import VidTensor

/// The scores of one input as a person reads them: what it looks like, how sure that is, a bar a class.
///
///     holiday.mp4
///       looks like climbing (93 %, well ahead)
///       climbing  93.1 %  ██████████████████▌
///       cooking    4.2 %  ▊
package enum PredictionText {
    /// How far the best score must be ahead of the next for the words: half of all, a fifth of all.
    private static let clearMargin = 0.5
    private static let slightMargin = 0.2
    private static let mostCells = 20

    /// - Parameters:
    ///   - ranked: labels and scores, best first, as many as are to be shown.
    ///   - decision: what all scores together say (`decision(_:)`).
    package static func text(
        _ name: String, ranked: [(label: String, score: Float)], decision: String, style: OutputStyle
    ) -> String {
        var text = style.paint(style.fitted(name.printable), .bold) + "\n"
        text += "  " + style.fitted(decision, indent: 2) + "\n"
        let scores = ranked.map { tenths($0.score) }
        let scoreColumns = scores.map(\.columns).max() ?? 0
        let longest = ranked.map(\.label.printable.columns).max() ?? 0
        // Indentation, two gaps, and a bar of at least eight columns; a label gets at least eight.
        let labelColumns = style.columns.map { min(longest, max(8, $0 - 2 - 2 - scoreColumns - 2 - 8)) } ?? longest
        let cells = style.columns.map { min(mostCells, $0 - 6 - labelColumns - scoreColumns) } ?? mostCells
        for (rank, entry) in ranked.enumerated() {
            let label = entry.label.printable.shortened(toColumns: labelColumns).padded(toColumns: labelColumns)
            let score = String(repeating: " ", count: scoreColumns - scores[rank].columns) + scores[rank]
            let bar = ScoreBar.text(Double(entry.score), columns: cells)
            text += "  \(label)  \(score)" + (bar.isEmpty ? "" : "  " + style.paint(bar, rank == 0 ? .green : .dim)) + "\n"
        }
        return text
    }

    /// What the scores say in words, from how far the best is ahead of the next. They are the model's own scores, not
    /// probabilities of being right: a model may be far ahead and wrong.
    package static func decision(_ ranked: [(label: String, score: Float)]) -> String {
        guard let best = ranked.first else { return "no classes" }
        let name = best.label.printable
        guard ranked.count > 1 else { return "\(name), the only class there is" }
        let next = ranked[1]
        guard best.score.isFinite, next.score.isFinite else { return "no decision: the scores are no numbers" }
        let margin = Double(best.score) - Double(next.score)
        if margin >= clearMargin { return "looks like \(name) (\(percent(best.score)), well ahead)" }
        if margin >= slightMargin {
            return "rather \(name) (\(percent(best.score))) than \(next.label.printable) (\(percent(next.score)))"
        }
        return "not sure: \(name) \(percent(best.score)), \(next.label.printable) \(percent(next.score))"
    }

    /// "93 %". What is not all is never rounded up to it: "over 99 %".
    private static func percent(_ score: Float) -> String {
        if score < 1, score >= 0.995 { return "over 99 %" }
        return percent(score, digits: 0)
    }

    /// "93.1 %"; what is neither all nor nothing is not rounded to it: ">99.9 %", "<0.1 %".
    private static func tenths(_ score: Float) -> String {
        if score < 1, score >= 0.9995 { return ">99.9 %" }
        if score > 0, score < 0.0005 { return "<0.1 %" }
        return percent(score, digits: 1)
    }

    private static func percent(_ score: Float, digits: Int) -> String { Formatting.fixed(Double(score) * 100, digits) + " %" }
}
