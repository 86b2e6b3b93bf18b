import VidData
import VidReport
import VidRun
import VidSystem

/// The windows of a stream, or its bouts, each printed when it has ended: a line of text, rows of CSV, a line of JSON, or an element of
/// `windows` in a JSON document that is complete at the end.
extension PredictionPrinter {
    /// - Parameter classes: the model's, for the width of their column.
    mutating func add(_ window: ClipWindow, _ prediction: Prediction, classes: [String]) throws {
        switch format {
        case .csv: try add(rows: rows(prediction, window: window), prediction.input, nil)
        case .jsonl: try add(line: [("input", .string(prediction.input))] + window.members + prediction.members)
        case .json:
            let element = JSONNode.object(window.members + prediction.members).text()
            try write {
                try Terminal.output(($0.isFirst ? PredictionPrinter.start(prediction.input) + "\n" : ",\n") + "      " + element)
            }
        case .text:
            guard let best = prediction.bestTwo.first else { return }
            let mark = prediction.familiarity == nil ? nil : prediction.isUnfamiliar
            try add(
                prediction.input, line(window.start..<window.start + window.length, best.label, Double(best.score), mark, classes))
        }
    }

    mutating func add(_ bout: Bout, input: String, classes: [String]) throws {
        switch format {
        case .csv: try add(rows: [row(input, bout)], input, nil)
        case .json, .jsonl: try add(line: [("input", .string(input))] + bout.members)
        case .text: try add(input, line(bout.start..<bout.end, bout.label, bout.score, nil, classes))
        }
    }

    /// Ends the output of a stream.
    ///
    /// - Parameter error: why it ended early; nil if it did not.
    mutating func end(_ input: String, _ error: VidclassError? = nil) throws {
        switch format {
        case .csv: if let error { try add(error, input: input) } else if isFirst { try finish() }
        case .jsonl: if let error { try add(line: [("input", .string(input)), ("error", .string(error.message))]) }
        case .json:
            let start = isFirst ? PredictionPrinter.start(input) : "\n    "
            let reason = error.map { ",\n    \"error\": " + JSONNode.string($0.message).text() } ?? ""
            try write { _ in try Terminal.output(start + "]" + reason + "\n  }\n]\n") }
        case .text: break
        }
    }

    private static func start(_ input: String) -> String {
        "[\n  {\n    \"input\": " + JSONNode.string(input).text() + ",\n    \"windows\": ["
    }

    private mutating func add(line: [(String, JSONNode)]) throws {
        try write { _ in try Terminal.output(JSONNode.object(line).text() + "\n") }
    }

    private mutating func add(_ input: String, _ line: String) throws {
        let head = style.paint(style.fitted(StandardInput.shown(input).printable), .bold) + "\n"
        try write { try Terminal.output(($0.isFirst ? head : "") + line) }
    }

    /// Times, a label and its score, a mark if it looks unlike the training clips, and a bar.
    ///
    /// - Parameter isUnfamiliar: nil for a column less.
    private func line(_ times: Range<Double>, _ label: String, _ share: Double, _ isUnfamiliar: Bool?, _ classes: [String]) -> String {
        func padded(_ text: String, _ columns: Int) -> String { String(repeating: " ", count: max(0, columns - text.count)) + text }
        let clocks = [times.lowerBound, times.upperBound].map { padded(Timeline.clock($0), 9) }.joined(separator: " -")
        // The clocks, a score, a mark, the gaps, and a bar of at least five columns.
        let fixed = 20 + 2 + 2 + 7 + 2 + (isUnfamiliar == nil ? 0 : 3)
        let longest = classes.map { $0.printable.columns }.max() ?? 0
        let labelColumns = style.columns.map { min(longest, max(8, $0 - fixed - 5)) } ?? longest
        let name = label.printable.shortened(toColumns: labelColumns).padded(toColumns: labelColumns)
        let score = padded(Formatting.fixed(share * 100, 1) + " %", 7)
        let bar = ScoreBar.text(share, columns: style.columns.map { min(20, $0 - fixed - labelColumns) } ?? 20)
        return clocks + "  " + name + "  " + score + (isUnfamiliar.map { $0 ? "  *" : "   " } ?? "") + "  " + bar + "\n"
    }
}
