import VidRun
import VidSystem

/// The rows that `predict --watch` appends for a clip: those of `--format csv`, and one for every clip, so that the table tells which are done.
extension PredictionPrinter {
    /// The columns of the results. A table of bouts has errors too.
    var watchedColumns: [String] { columns + (bouts == nil ? [] : ["error"]) }

    /// - Parameter name: the clip's, for the first column.
    mutating func watchedRows(_ outcome: FilePredictor.Outcome, name: String) -> [[String]] {
        let empty = [String](repeating: "", count: watchedColumns.count - 2)
        var rows: [[String]]
        switch outcome {
        case .prediction(let prediction): rows = self.rows(prediction, window: nil)
        case .timeline(let timeline):
            if let bouts {
                rows = timeline.bouts(threshold: bouts.threshold, minimumSeconds: bouts.minimumSeconds).map { row(name, $0) + [""] }
            } else {
                rows = timeline.windows.flatMap { self.rows($1, window: $0) }
            }
        case .failure(let error): rows = [[""] + empty + [cell(error.message)]]
        }
        if rows.isEmpty { rows = [[""] + empty + [""]] }
        let first = cell(name)
        return rows.map { [first] + $0.dropFirst() }
    }
}
