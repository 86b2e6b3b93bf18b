import VidConfig
import VidData
import VidModel
import VidReport
import VidSystem
import VidTensor
import VidTrain

/// What is in a long video, window by window.
struct Timeline {
    let input: String
    let windows: [(window: ClipWindow, prediction: Prediction)]

    /// Scores windows of `length` seconds every `stride` seconds; the file is decoded once.
    init(
        _ path: String, name: String, length: Double, stride: Double, _ saved: SavedModel, _ predictor: Predictor, top: Int,
        progress: (_ done: Int, _ total: Int) -> Void
    ) async throws {
        input = name
        let whole = try await saved.loader.length(of: path)
        let plan = try whole.windows(length: length, stride: stride, path: path)
        let seconds = whole.seconds ?? 0
        var predictions = [Prediction?](repeating: nil, count: plan.count)
        var done = 0
        try await saved.loader.load(path, views: plan.map(\.view)) { place, clip in
            predictions[place] = Prediction(
                input: name, classes: saved.classifier.classes, scores: Scores.softmax(predictor.logits(clip)), top: top)
            done += 1
            progress(done, plan.count)
        }
        windows = zip(plan, predictions).compactMap { window, prediction in
            // The last one may stick out of the clip.
            prediction.map { (ClipWindow(start: window.start, length: min(window.length, seconds - window.start)), $0) }
        }
    }

    static let csvHeader = CSVText.line(["input", "start", "end", "rank", "label", "score"])

    var csv: String {
        windows.flatMap { window, prediction in
            prediction.ranked.enumerated().map { rank, entry in
                CSVText.line([
                    input, Timeline.seconds(window.start), Timeline.seconds(window.start + window.length), "\(rank + 1)", entry.label,
                    "\(entry.score)",
                ])
            }
        }.joined()
    }

    var document: JSONNode {
        .object([
            ("input", .string(input)),
            (
                "windows",
                .array(
                    windows.map { window, prediction in
                        .object([
                            ("start", .number(window.start)), ("end", .number(window.start + window.length)),
                            ("predictions", prediction.ranking),
                        ])
                    })
            ),
        ])
    }

    /// A line a window: when, what, how sure.
    func text(_ style: OutputStyle) -> String {
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
        let name = input == StandardInput.name ? StandardInput.shownName : input
        return style.paint(style.fitted(name.printable), .bold) + "\n" + Formatting.table(rows, right: [2])
    }

    /// "1:02.5"
    private static func clock(_ seconds: Double) -> String {
        let tenths = Int((seconds * 10).rounded())
        return Formatting.duration(Double(tenths / 10)) + ".\(tenths % 10)"
    }

    /// Without the digits that sums of decimal fractions bring.
    private static func seconds(_ value: Double) -> String { Formatting.fixed(value, 3) }
}
