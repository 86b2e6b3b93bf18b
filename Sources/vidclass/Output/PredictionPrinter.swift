import ArgumentParser
import VidData
import VidReport
import VidRun
import VidSystem
import VidTrain

/// Prints the results of `predict` input by input, at once: text, rows of CSV, elements of a JSON array, or lines of JSON.
struct PredictionPrinter {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, jsonl, csv
    }

    private let format: Format
    private let isLong: Bool
    private let hasWindows: Bool
    private let style = OutputStyle.standardOutput
    private var array = JSONArrayOutput()
    private var isFirst = true
    private var hasSaidEscaped = false
    /// Whether standard output failed; no input is to blame for that.
    private(set) var hasFailed = false
    /// Whether the reader of standard output has gone, as `head` does.
    private(set) var isClosed = false

    /// - Parameter isLong: whether CSV has a row per class.
    init(format: Format, isLong: Bool, hasWindows: Bool) {
        self.format = format
        self.isLong = isLong
        self.hasWindows = hasWindows
    }

    mutating func add(_ prediction: Prediction) throws {
        switch format {
        case .json, .jsonl: try add(prediction.document)
        case .csv: try add(rows: rows(prediction, window: nil))
        case .text: try add(text: prediction.text(style))
        }
    }

    mutating func add(_ timeline: Timeline) throws {
        switch format {
        case .json, .jsonl: try add(timeline.document)
        case .csv: try add(rows: timeline.windows.flatMap { rows($1, window: $0) })
        case .text: try add(text: timeline.text(style))
        }
    }

    /// Ends a line that is not complete, before an error is written to standard error. `add` must follow.
    mutating func prepare() throws {
        guard format == .json else { return }
        try write {
            try $0.array.prepare()
            return true
        }
    }

    /// Adds an input without a prediction. Text has nothing to say about it; standard error has.
    mutating func add(_ error: VidclassError, input: String) throws {
        switch format {
        case .json, .jsonl:
            try add(
                .object([
                    ("input", .string(input)), (hasWindows ? "windows" : "predictions", .array([])), ("error", .string(error.message)),
                ]))
        case .csv:
            let empty = [String](repeating: "", count: columns.count - 2)
            try add(rows: [[cell(input)] + empty + [cell(error.message)]])
        case .text: break
        }
    }

    /// Ends the output; without any inputs it is an empty list or table.
    mutating func finish() throws {
        switch format {
        case .json: try write { try $0.array.finish() }
        case .csv: if isFirst { try add(rows: []) }
        case .text, .jsonl: break
        }
    }

    // MARK: - CSV

    private var columns: [String] {
        ["input"] + (hasWindows ? ["start", "end"] : [])
            + (isLong ? ["rank", "label", "score"] : ["label", "score", "second", "second_score", "doubtful", "unfamiliar"]) + ["error"]
    }

    /// One row or, if it is long, one per class.
    private mutating func rows(_ prediction: Prediction, window: ClipWindow?) -> [[String]] {
        let place =
            [cell(prediction.input)]
            + (window.map { [Timeline.seconds($0.start), Timeline.seconds($0.start + $0.length)] } ?? [])
        guard !isLong else {
            return prediction.ranked.enumerated().map { place + ["\($0 + 1)", cell($1.label), "\($1.score)", ""] }
        }
        let best = prediction.bestTwo.flatMap { [cell($0.label), "\($0.score)"] }
        // A model may know one class only.
        return [
            place + best + [String](repeating: "", count: 4 - best.count) + [
                "\(PredictionText.isDoubtful(prediction.bestTwo))", prediction.familiarity.map { "\($0.isUnfamiliar)" } ?? "", "",
            ]
        ]
    }

    /// A text that no spreadsheet runs. The first change is said.
    private mutating func cell(_ text: String) -> String {
        let cell = CSVText.cell(text)
        if !hasSaidEscaped, !cell.hasSameBytes(as: text) {
            hasSaidEscaped = true
            Terminal.note("note: in CSV, names that a spreadsheet would run as a formula have a leading ', such as \(cell.brief)")
        }
        return cell
    }

    private mutating func add(rows: [[String]]) throws {
        let text = ((isFirst ? [columns] : []) + rows).map(CSVText.line).joined()
        // Programs get names as they are, a terminal gets them as `printable`.
        try write { try Terminal.output($0.style.columns == nil ? text : text.printableLines) }
    }

    // MARK: - Output

    private mutating func add(_ document: JSONNode) throws {
        try write { $0.format == .json ? try $0.array.add(document) : try Terminal.output(document.text() + "\n") }
    }

    private mutating func add(text: String) throws {
        try write { try Terminal.output(($0.isFirst ? "" : "\n") + text) }
    }

    /// - Parameter output: returns false if the reader has gone.
    private mutating func write(_ output: (inout PredictionPrinter) throws -> Bool) throws {
        do {
            isClosed = try !output(&self)
            isFirst = false
        } catch {
            hasFailed = true
            throw error
        }
    }
}

extension Prediction {
    fileprivate var document: JSONNode { .object([("input", .string(input))] + members) }

    /// The scores, and whether the input looks unlike the training clips: null if the model cannot tell.
    fileprivate var members: [(String, JSONNode)] {
        let ranking = ranked.map { JSONNode.object([("label", .string($0.label)), ("score", .number($0.score))]) }
        return [
            ("predictions", .array(ranking)), ("unfamiliar", familiarity.map { .bool($0.isUnfamiliar) } ?? .null),
            ("distance_percentile", familiarity.map { .number($0.percentile) } ?? .null),
        ]
    }

    fileprivate var isUnfamiliar: Bool { familiarity?.isUnfamiliar ?? false }

    fileprivate func text(_ style: OutputStyle) -> String {
        PredictionText.text(
            StandardInput.shown(input), ranked: ranked, decision: PredictionText.decision(bestTwo), isUnfamiliar: isUnfamiliar,
            style: style)
    }
}

extension Timeline {
    fileprivate var document: JSONNode {
        let windows = windows.map { window, prediction -> JSONNode in
            .object([("start", .number(window.start)), ("end", .number(window.start + window.length))] + prediction.members)
        }
        return .object([("input", .string(input)), ("windows", .array(windows))])
    }

    /// One line per window: its times, the best class and its score, and a mark if it looks unlike the training clips.
    fileprivate func text(_ style: OutputStyle) -> String {
        let hasMarks = windows.contains { $1.isUnfamiliar }
        let entries = windows.compactMap { window, prediction in prediction.ranked.first.map { (window, $0, prediction.isUnfamiliar) } }
        let times = entries.map { window, _, _ in (Timeline.clock(window.start), Timeline.clock(window.start + window.length)) }
        let clockColumns = times.map { max($0.0.count, $0.1.count) }.max() ?? 0
        let longest = entries.map { $0.1.label.printable.columns }.max() ?? 0
        // Indentation, two clocks with a dash, a score, the gaps, a mark, and a bar of at least five columns.
        let fixed = 2 + clockColumns * 2 + 3 + 2 + 2 + 7 + 2 + (hasMarks ? 3 : 0)
        let labelColumns = style.columns.map { min(longest, max(8, $0 - fixed - 5)) } ?? longest
        let cells = style.columns.map { min(20, $0 - fixed - labelColumns) } ?? 20
        let rows = zip(times, entries).map { time, entry in
            let score = Double(entry.1.score)
            return [
                "\(String(repeating: " ", count: clockColumns - time.0.count))\(time.0) - "
                    + "\(String(repeating: " ", count: clockColumns - time.1.count))\(time.1)",
                entry.1.label.printable.shortened(toColumns: labelColumns), Formatting.fixed(score * 100, 1) + " %",
            ] + (hasMarks ? [entry.2 ? "*" : ""] : []) + [ScoreBar.text(score, columns: cells)]
        }
        return style.paint(style.fitted(StandardInput.shown(input).printable), .bold) + "\n" + Formatting.table(rows, right: [2])
            + (hasMarks ? PredictionText.legend("*", style: style) : "")
    }

    /// "1:02.5"
    private static func clock(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return Formatting.duration(Double(tenths / 10)) + ".\(tenths % 10)"
    }

    /// Rounded to milliseconds, because sums of decimal fractions have more digits.
    fileprivate static func seconds(_ value: Double) -> String { Formatting.fixed(value, 3) }
}
