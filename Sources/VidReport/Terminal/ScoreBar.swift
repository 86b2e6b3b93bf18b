/// A number from 0 to 1 as a bar of block characters, exact to an eighth of a column.
package enum ScoreBar {
    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

    /// A bar of at most `columns` columns; empty for 0 and NaN, and at least a sliver for any other share.
    package static func text(_ share: Double, columns: Int) -> String {
        guard share > 0, columns > 0 else { return "" }
        let steps = max(1, Int((min(share, 1) * Double(columns) * 8).rounded()))
        return String(repeating: "█", count: steps / 8) + eighths[steps % 8]
    }
}

/// Values over time as a row of block characters.
package enum Sparkline {
    private static let levels = Array("▁▂▃▄▅▆▇█")

    /// One column for each value or, if there are more values than `columns`, for the mean of neighbouring ones. `bounds` are the
    /// values of the lowest and the highest block; NaN and infinite values leave a gap.
    package static func text(_ values: [Double], in bounds: ClosedRange<Double>, columns: Int) -> String {
        guard columns > 0, !values.isEmpty else { return "" }
        let cells = min(columns, values.count)
        return String(
            (0..<cells).map { cell -> Character in
                let part = values[cell * values.count / cells..<(cell + 1) * values.count / cells].filter(\.isFinite)
                guard !part.isEmpty else { return " " }
                let mean = part.reduce(0, +) / Double(part.count)
                let span = bounds.upperBound - bounds.lowerBound
                let share = span > 0 ? min(1, max(0, (mean - bounds.lowerBound) / span)) : 0.5
                return levels[Int((share * Double(levels.count - 1)).rounded())]
            })
    }
}
