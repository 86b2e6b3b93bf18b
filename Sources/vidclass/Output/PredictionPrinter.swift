import ArgumentParser
import VidData
import VidReport
import VidRun
import VidSystem

/// Prints the predictions of `predict`: text and CSV input by input, JSON as one document at the end.
struct PredictionPrinter {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, csv
    }

    private let format: Format
    private let hasWindows: Bool
    private let style = OutputStyle.standardOutput
    private var documents: [JSONNode] = []
    private var isFirst = true
    /// Whether standard output failed; no input is to blame for that.
    private(set) var hasFailed = false

    init(format: Format, hasWindows: Bool) {
        self.format = format
        self.hasWindows = hasWindows
    }

    private var csvHeader: String {
        hasWindows ? CSVText.line(["input", "start", "end", "rank", "label", "score"]) : "input,rank,label,score\n"
    }

    mutating func add(_ prediction: Prediction) throws {
        try add(prediction.document, csv: prediction.csv, text: prediction.text(style))
    }

    mutating func add(_ timeline: Timeline) throws {
        try add(timeline.document, csv: timeline.csv, text: timeline.text(style))
    }

    private mutating func add(_ document: JSONNode, csv: String, text: String) throws {
        switch format {
        case .json: documents.append(document)
        // Programs get names as they are, a terminal gets them as `printable`.
        case .csv: try write((isFirst ? csvHeader : "") + (style.columns == nil ? csv : csv.printableLines))
        case .text: try write((isFirst ? "" : "\n") + text)
        }
        isFirst = false
    }

    /// Ends the output; without any predictions it is an empty list or table.
    mutating func finish() throws {
        switch format {
        case .json: try write(JSONNode.array(documents).text(pretty: true) + "\n")
        case .csv: if isFirst { try write(csvHeader) }
        case .text: break
        }
    }

    private mutating func write(_ text: String) throws {
        do { try Terminal.output(text) } catch {
            hasFailed = true
            throw error
        }
    }
}

extension Prediction {
    fileprivate var document: JSONNode { .object([("input", .string(input)), ("predictions", ranking)]) }

    fileprivate var ranking: JSONNode {
        .array(ranked.map { .object([("label", .string($0.label)), ("score", .number($0.score))]) })
    }

    fileprivate var csv: String {
        ranked.enumerated().map { "\(CSVText.field(input)),\($0 + 1),\(CSVText.field($1.label)),\($1.score)\n" }.joined()
    }

    fileprivate func text(_ style: OutputStyle) -> String {
        PredictionText.text(
            StandardInput.shown(input), ranked: ranked, decision: PredictionText.decision(bestTwo), style: style)
    }
}

extension Timeline {
    fileprivate var csv: String {
        windows.flatMap { window, prediction in
            prediction.ranked.enumerated().map { rank, entry in
                CSVText.line([
                    input, Timeline.seconds(window.start), Timeline.seconds(window.start + window.length), "\(rank + 1)", entry.label,
                    "\(entry.score)",
                ])
            }
        }.joined()
    }

    fileprivate var document: JSONNode {
        let windows = windows.map { window, prediction -> JSONNode in
            .object([
                ("start", .number(window.start)), ("end", .number(window.start + window.length)), ("predictions", prediction.ranking),
            ])
        }
        return .object([("input", .string(input)), ("windows", .array(windows))])
    }

    /// One line per window: its times, the best class and its score.
    fileprivate func text(_ style: OutputStyle) -> String {
        let entries = windows.compactMap { window, prediction in prediction.ranked.first.map { (window, $0) } }
        let times = entries.map { window, _ in (Timeline.clock(window.start), Timeline.clock(window.start + window.length)) }
        let clockColumns = times.map { max($0.0.count, $0.1.count) }.max() ?? 0
        let longest = entries.map { $1.label.printable.columns }.max() ?? 0
        // Indentation, two clocks with a dash, a score, the gaps, and a bar of at least five columns.
        let fixed = 2 + clockColumns * 2 + 3 + 2 + 2 + 7 + 2
        let labelColumns = style.columns.map { min(longest, max(8, $0 - fixed - 5)) } ?? longest
        let cells = style.columns.map { min(20, $0 - fixed - labelColumns) } ?? 20
        let rows = zip(times, entries).map { time, entry in
            let score = Double(entry.1.score)
            return [
                "\(String(repeating: " ", count: clockColumns - time.0.count))\(time.0) - "
                    + "\(String(repeating: " ", count: clockColumns - time.1.count))\(time.1)",
                entry.1.label.printable.shortened(toColumns: labelColumns), Formatting.fixed(score * 100, 1) + " %",
                ScoreBar.text(score, columns: cells),
            ]
        }
        return style.paint(style.fitted(StandardInput.shown(input).printable), .bold) + "\n" + Formatting.table(rows, right: [2])
    }

    /// "1:02.5"
    private static func clock(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return Formatting.duration(Double(tenths / 10)) + ".\(tenths % 10)"
    }

    /// Rounded to milliseconds, because sums of decimal fractions have more digits.
    private static func seconds(_ value: Double) -> String { Formatting.fixed(value, 3) }
}
