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

    /// The choice of bouts in a timeline.
    struct BoutChoice {
        let threshold: Double
        let minimumSeconds: Double
    }

    let format: Format
    private let isLong: Bool
    private let hasWindows: Bool
    let bouts: BoutChoice?
    /// Where the results go; nil for standard output.
    private let file: PredictionFile?
    let style = OutputStyle.standardOutput
    private var array = JSONArrayOutput()
    private(set) var isFirst = true
    private var hasSaidEscaped = false
    /// Whether standard output failed; no input is to blame for that.
    private(set) var hasFailed = false
    /// Whether the reader of standard output has gone, as `head` does.
    private(set) var isClosed = false

    /// - Parameters:
    ///   - isLong: whether CSV has a row per class.
    ///   - bouts: how bouts are made of windows; nil for the windows themselves.
    init(format: Format, isLong: Bool, hasWindows: Bool, bouts: BoutChoice? = nil, file: PredictionFile? = nil) {
        self.format = format
        self.isLong = isLong
        self.hasWindows = hasWindows
        self.bouts = bouts
        self.file = file
    }

    /// - Parameter clip: the file of the input, if it can be read again.
    mutating func add(_ prediction: Prediction, clip: String?) throws {
        switch format {
        case .json, .jsonl: try add(prediction.document, prediction.input, clip)
        case .csv: try add(rows: rows(prediction, window: nil), prediction.input, clip)
        case .text: try add(text: prediction.text(style))
        }
    }

    mutating func add(_ timeline: Timeline, clip: String?) throws {
        let bouts = bouts.map { timeline.bouts(threshold: $0.threshold, minimumSeconds: $0.minimumSeconds) }
        switch format {
        case .json, .jsonl: try add(timeline.document(bouts), timeline.input, clip)
        case .csv:
            let rows = bouts?.map { row(timeline.input, $0) } ?? timeline.windows.flatMap { self.rows($1, window: $0) }
            try add(rows: rows, timeline.input, clip)
        case .text: try add(text: bouts.map { timeline.text(of: $0, style) } ?? timeline.text(style))
        }
    }

    /// Adds a result that a stopped command has left in the file.
    mutating func add(kept result: String) throws {
        try write {
            $0.file?.addKept(result)
            return true
        }
    }

    /// Ends a line that is not complete, before an error is written to standard error. `add` must follow.
    mutating func prepare() throws {
        guard format == .json, file == nil else { return }
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
                ]), input, nil)
        case .csv:
            // A table of bouts has no place for it; standard error has.
            guard bouts == nil else { return try add(rows: [], input, nil) }
            let empty = [String](repeating: "", count: columns.count - 2)
            try add(rows: [[cell(input)] + empty + [cell(error.message)]], input, nil)
        case .text: break
        }
    }

    /// Ends the output; without any inputs it is an empty list or table.
    mutating func finish() throws {
        if let file {
            let isArray = format == .json
            try file.finish(
                start: isArray ? "[\n" : format == .csv ? CSVText.line(columns) : "", separator: isArray ? ",\n" : "",
                end: isArray ? "\n]\n" : "")
            return Terminal.note("wrote \(file.path.printable)")
        }
        switch format {
        case .json: try write { try $0.array.finish() }
        case .csv: if isFirst { try add(rows: [], "", nil) }
        case .text, .jsonl: break
        }
    }

    // MARK: - CSV

    var columns: [String] {
        if bouts != nil { return ["video", "label", "start", "end", "score"] }
        return ["input"] + (hasWindows ? ["start", "end"] : [])
            + (isLong ? ["rank", "label", "score"] : ["label", "score", "second", "second_score", "doubtful", "unfamiliar"]) + ["error"]
    }

    /// One row or, if it is long, one per class.
    mutating func rows(_ prediction: Prediction, window: ClipWindow?) -> [[String]] {
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

    mutating func row(_ input: String, _ bout: Bout) -> [String] {
        // Times of a part of a video are those of the whole.
        [
            cell(ClipPath(input).file), cell(bout.label), Timeline.seconds(bout.start), Timeline.seconds(bout.end),
            "\(Float(bout.score))",
        ]
    }

    /// A text that no spreadsheet runs. The first change is said.
    mutating func cell(_ text: String) -> String {
        let cell = CSVText.cell(text)
        if !hasSaidEscaped, !cell.hasSameBytes(as: text) {
            hasSaidEscaped = true
            Terminal.note(
                Terminal.fitted("note: in CSV, names that a spreadsheet would run as a formula have a leading ', such as \(cell.brief)"))
        }
        return cell
    }

    mutating func add(rows: [[String]], _ input: String, _ clip: String?) throws {
        let text = rows.map(CSVText.line).joined()
        try write {
            if let file = $0.file {
                try file.add(text, input, clip)
                return true
            }
            let text = ($0.isFirst ? CSVText.line($0.columns) : "") + text
            // Programs get names as they are, a terminal gets them as `printable`.
            return try Terminal.output($0.style.columns == nil ? text : text.printableLines)
        }
    }

    // MARK: - Output

    private mutating func add(_ document: JSONNode, _ input: String, _ clip: String?) throws {
        try write {
            if let file = $0.file {
                try file.add($0.format == .json ? document.elementText() : document.text() + "\n", input, clip)
                return true
            }
            return $0.format == .json ? try $0.array.add(document) : try Terminal.output(document.text() + "\n")
        }
    }

    private mutating func add(text: String) throws {
        try write { try Terminal.output(($0.isFirst ? "" : "\n") + text) }
    }

    /// - Parameter output: returns false if the reader has gone.
    mutating func write(_ output: (inout PredictionPrinter) throws -> Bool) throws {
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
    var members: [(String, JSONNode)] {
        let ranking = ranked.map { JSONNode.object([("label", .string($0.label)), ("score", .number($0.score))]) }
        return [
            ("predictions", .array(ranking)), ("unfamiliar", familiarity.map { .bool($0.isUnfamiliar) } ?? .null),
            ("distance_percentile", familiarity.map { .number($0.percentile) } ?? .null),
        ]
    }

    var isUnfamiliar: Bool { familiarity?.isUnfamiliar ?? false }

    fileprivate func text(_ style: OutputStyle) -> String {
        PredictionText.text(
            StandardInput.shown(input), ranked: ranked, decision: PredictionText.decision(bestTwo), isUnfamiliar: isUnfamiliar,
            style: style)
    }
}

extension Bout {
    var members: [(String, JSONNode)] {
        [("label", .string(label)), ("start", .number(start)), ("end", .number(end)), ("score", .number(score))]
    }
}

extension ClipWindow {
    var members: [(String, JSONNode)] { [("start", .number(start)), ("end", .number(start + length))] }
}

extension Timeline {
    fileprivate func document(_ bouts: [Bout]?) -> JSONNode {
        let windows = windows.map { window, prediction in JSONNode.object(window.members + prediction.members) }
        guard let bouts else { return .object([("input", .string(input)), ("windows", .array(windows))]) }
        let items = bouts.map { JSONNode.object($0.members) }
        return .object([
            ("input", .string(input)), ("windows", .array(windows)), ("bouts", .array(items)),
            ("seconds", .object(bouts.seconds.map { ($0.label, .number($0.seconds)) })),
        ])
    }

    /// One line per bout, and the seconds of each label.
    fileprivate func text(of bouts: [Bout], _ style: OutputStyle) -> String {
        let entries = bouts.map { (start: $0.start, end: $0.end, label: $0.label, score: $0.score, isUnfamiliar: false) }
        let all = zip(windows.prefix(1), windows.suffix(1)).map { $1.window.start + $1.window.length - $0.window.start }.first ?? 0
        let sums = bouts.seconds.map { label, seconds in
            [
                label.printable, Formatting.fixed(seconds, 1) + " s",
                Formatting.fixed(100 * seconds / max(all, .leastNormalMagnitude), 0) + " %",
            ]
        }
        return Timeline.text(input, entries, style)
            + (bouts.isEmpty ? "  no bouts\n" : "\n" + Formatting.table(sums, right: [1, 2]))
    }

    /// One line per window: its times, the best class and its score, and a mark if it looks unlike the training clips.
    fileprivate func text(_ style: OutputStyle) -> String {
        let entries = windows.compactMap { window, prediction in
            prediction.ranked.first.map {
                (
                    start: window.start, end: window.start + window.length, label: $0.label, score: Double($0.score),
                    isUnfamiliar: prediction.isUnfamiliar
                )
            }
        }
        return Timeline.text(input, entries, style)
    }

    private static func text(
        _ input: String, _ entries: [(start: Double, end: Double, label: String, score: Double, isUnfamiliar: Bool)], _ style: OutputStyle
    ) -> String {
        let hasMarks = entries.contains(where: \.isUnfamiliar)
        let times = entries.map { (clock($0.start), clock($0.end)) }
        let clockColumns = times.map { max($0.0.count, $0.1.count) }.max() ?? 0
        let longest = entries.map { $0.label.printable.columns }.max() ?? 0
        // Indentation, two clocks with a dash, a score, the gaps, a mark, and a bar of at least five columns.
        let fixed = 2 + clockColumns * 2 + 3 + 2 + 2 + 7 + 2 + (hasMarks ? 3 : 0)
        let labelColumns = style.columns.map { min(longest, max(8, $0 - fixed - 5)) } ?? longest
        let cells = style.columns.map { min(20, $0 - fixed - labelColumns) } ?? 20
        let rows = zip(times, entries).map { time, entry in
            [
                "\(String(repeating: " ", count: clockColumns - time.0.count))\(time.0) - "
                    + "\(String(repeating: " ", count: clockColumns - time.1.count))\(time.1)",
                entry.label.printable.shortened(toColumns: labelColumns), Formatting.fixed(entry.score * 100, 1) + " %",
            ] + (hasMarks ? [entry.isUnfamiliar ? "*" : ""] : []) + [ScoreBar.text(entry.score, columns: cells)]
        }
        return style.paint(style.fitted(StandardInput.shown(input).printable), .bold) + "\n" + Formatting.table(rows, right: [2])
            + (hasMarks ? PredictionText.legend("*", style: style) : "")
    }

    /// "1:02.5"
    static func clock(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return Formatting.duration(Double(tenths / 10)) + ".\(tenths % 10)"
    }

    /// Rounded to milliseconds, because sums of decimal fractions have more digits.
    fileprivate static func seconds(_ value: Double) -> String { Formatting.fixed(value, 3) }
}
