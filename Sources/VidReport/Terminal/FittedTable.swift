/// A table that keeps within a terminal: columns that matter less are left out, then the longest texts are shortened.
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
        ///   - cells: one a row, on one line.
        ///   - rank: columns with a higher one are left out first; those of rank 0 never are.
        ///   - isFlexible: whether its cells may be shortened in their middle, down to `least` columns.
        ///   - ink: the colour of a cell.
        package init(
            _ title: String, _ cells: [String], isRight: Bool = false, rank: Int, isFlexible: Bool = false, least: Int = 16,
            ink: (@Sendable (String) -> OutputStyle.Ink?)? = nil
        ) {
            self.title = title
            self.cells = cells
            self.isRight = isRight
            self.rank = rank
            self.isFlexible = isFlexible
            self.least = least
            self.ink = ink
        }

        var width: Int { (cells + [title]).map(\.columns).max() ?? 0 }
    }

    /// The lines of the table, its titles first. Columns without any text are left out.
    package static func text(_ columns: [Column], style: OutputStyle, indent: Int = 0) -> String {
        var kept = columns.filter { column in column.rank == 0 || column.cells.contains { !$0.isEmpty } }
        func total(_ width: (Column) -> Int) -> Int { indent + kept.reduce(0) { $0 + width($1) } + 2 * max(0, kept.count - 1) }
        var widths = kept.map(\.width)
        if let room = style.columns {
            func least(_ column: Column) -> Int { column.isFlexible ? min(column.width, column.least) : column.width }
            while total(least) > room, let highest = kept.map(\.rank).max(), highest > 0 {
                kept.removeAll { $0.rank == highest }
            }
            widths = kept.map(\.width)
            var excess = total(\.width) - room
            // Column by column from the right, so that the first, a name, keeps the most.
            for index in kept.indices.reversed() where excess > 0 && kept[index].isFlexible {
                let given = min(excess, widths[index] - least(kept[index]))
                widths[index] -= given
                excess -= given
            }
        }
        let rows = kept.map(\.cells.count).max() ?? 0
        return (-1..<rows).map { row in
            var line = String(repeating: " ", count: indent)
            for (index, column) in kept.enumerated() {
                let cell = (row < 0 ? column.title : row < column.cells.count ? column.cells[row] : "").shortened(toColumns: widths[index])
                let padding = String(repeating: " ", count: widths[index] - cell.columns)
                let painted = row < 0 ? style.paint(cell, .dim) : column.ink?(cell).map { style.paint(cell, $0) } ?? cell
                let isLast = index == kept.count - 1
                line += column.isRight ? padding + painted : painted + (isLast ? "" : padding)
                if !isLast { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// A line a fact, its name before it; long facts go on on the next line, below themselves.
    package static func facts(_ rows: [(name: String, text: String)], style: OutputStyle) -> String {
        let width = rows.map(\.name.columns).max() ?? 0
        let indent = String(repeating: " ", count: width + 2)
        return rows.map { row in
            let line = row.name.padded(toColumns: width) + "  " + row.text
            guard let columns = style.columns, line.columns > columns else { return line + "\n" }
            return DataReportText.wrapped(line, indent: indent, width: columns)
        }.joined()
    }
}
