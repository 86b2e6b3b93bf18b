/// An HTML table. It scrolls sideways if the page is narrower, and screen readers know its name and its rows' names.
struct Table {
    struct Column {
        let title: String
        /// Numbers are right-aligned.
        let isNumber: Bool

        init(_ title: String, isNumber: Bool = false) { (self.title, self.isNumber) = (title, isNumber) }
    }

    /// The element.
    ///
    /// - Parameters:
    ///   - caption: plain text without special characters.
    ///   - rows: markup, a cell for each column; the first cell names the row.
    ///   - footer: rows of sums or means.
    static func html(_ caption: String, _ columns: [Column], rows: [[String]], footer: [[String]] = []) -> String {
        func row(_ cells: [String]) -> String {
            let cells = zip(columns, cells).enumerated().map { place, cell in
                let (tag, mark) = (place == 0 ? "th" : "td", cell.0.isNumber ? " class=\"n\"" : "")
                return "<\(tag)\(place == 0 ? " scope=\"row\"" : "")\(mark)>\(cell.1)</\(tag)>"
            }
            return "<tr>\(cells.joined())</tr>\n"
        }
        let titles = columns.map { "<th scope=\"col\"\($0.isNumber ? " class=\"n\"" : "")>\($0.title)</th>" }.joined()
        let end = footer.isEmpty ? "" : "<tfoot>\n\(footer.map(row).joined())</tfoot>\n"
        return scrolling(caption, "<thead><tr>\(titles)</tr></thead>\n<tbody>\n\(rows.map(row).joined())</tbody>\n\(end)")
    }

    /// Labels and values in markup: a table without headings.
    static func facts(_ caption: String, _ facts: [(label: String, value: String)]) -> String {
        let rows = facts.map { "<tr><th scope=\"row\">\($0.label)</th><td>\($0.value)</td></tr>\n" }.joined()
        return scrolling(caption, "<tbody>\n\(rows)</tbody>", style: " class=\"facts\"")
    }

    private static func scrolling(_ caption: String, _ content: String, style: String = "") -> String {
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table: \(caption)\"><table\(style)>"
            + "<caption>\(caption)</caption>\n\(content)</table></div>\n"
    }
}
