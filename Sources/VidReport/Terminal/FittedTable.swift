/// A table that fits a terminal: the least important columns are left out, then the longest texts are shortened.
package struct FittedTable {
    package struct Column {
        let title: String
        let cells: [String]
        let isRight: Bool
        let rank: Int
        let isFlexible: Bool
        let least: Int
        let ink: (@Sendable (String) -> OutputStyle.Ink?)?

        /// - Parameters:
        ///   - cells: one for each row, each on one line.
        ///   - isRight: right-aligned.
        ///   - rank: columns of the highest rank are left out first; rank 0 is always shown.
        ///   - isFlexible: whether cells may be shortened in their middle, down to `least` columns of the terminal.
        ///   - ink: the colour of a cell.
        package init(
            _ title: String, _ cells: [String], isRight: Bool = false, rank: Int, isFlexible: Bool = false, least: Int = 16,
            ink: (@Sendable (String) -> OutputStyle.Ink?)? = nil
        ) {
            (self.title, self.cells, self.isRight, self.rank) = (title, cells, isRight, rank)
            (self.isFlexible, self.least, self.ink) = (isFlexible, least, ink)
        }

        var width: Int { (cells + [title]).map(\.columns).max() ?? 0 }
        var leastWidth: Int { isFlexible ? min(width, least) : width }
    }

    /// The lines of the table, its titles first. Columns without any text are left out, except those of rank 0.
    package static func text(_ columns: [Column], style: OutputStyle, indent: Int = 0) -> String {
        var kept = columns.filter { column in column.rank == 0 || column.cells.contains { !$0.isEmpty } }
        func total(_ width: (Column) -> Int) -> Int { indent + kept.reduce(0) { $0 + width($1) } + 2 * max(0, kept.count - 1) }
        let room = style.columns ?? .max
        while total(\.leastWidth) > room, let highest = kept.map(\.rank).max(), highest > 0 { kept.removeAll { $0.rank == highest } }
        var widths = kept.map(\.width)
        var excess = max(0, total(\.width) - room)
        // From the right, so that the first column, which holds names, keeps the most.
        for index in kept.indices.reversed() {
            let given = min(excess, widths[index] - kept[index].leastWidth)
            widths[index] -= given
            excess -= given
        }
        func line(_ row: Int) -> [String] {
            zip(kept, widths).map { column, width in
                let cells = [column.title] + column.cells
                return row < cells.count ? cells[row].shortened(toColumns: width) : ""
            }
        }
        let lines = (0...(kept.map(\.cells.count).max() ?? 0)).map(line)
        return Formatting.table(
            lines, right: Set(kept.indices.filter { kept[$0].isRight }), indent: String(repeating: " ", count: indent)
        ) { row, column, cell in
            (row == 0 ? .dim : kept[column].ink?(cell)).map { style.paint(cell, $0) } ?? cell
        }
    }

    /// Names and facts, one pair a line. Long facts are continued below themselves.
    package static func facts(_ rows: [(name: String, text: String)], style: OutputStyle) -> String {
        Formatting.wrapped(Formatting.table(rows.map { [$0.name, $0.text] }, indent: ""), columns: style.columns ?? .max)
    }
}
