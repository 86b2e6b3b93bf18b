/// A table for HTML: it scrolls within itself where the page is narrower, and names itself and its rows to a screen reader.
package struct Table {
    /// A column's heading; numbers stand to the right.
    package struct Column {
        package let title: String
        package let isNumber: Bool

        package init(_ title: String, isNumber: Bool = false) {
            self.title = title
            self.isNumber = isNumber
        }
    }

    private let caption: String
    private let columns: [Column]
    private let rows: [[String]]
    private let footer: [[String]]

    /// - Parameters:
    ///   - caption: markup; what the table shows.
    ///   - rows: markup, a cell a column; the first of a row names it.
    ///   - footer: rows of sums or means.
    package init(_ caption: String, _ columns: [Column], rows: [[String]], footer: [[String]] = []) {
        self.caption = caption
        self.columns = columns
        self.rows = rows
        self.footer = footer
    }

    package var html: String {
        var text =
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table: \(Table.plain(caption))\"><table><caption>\(caption)</caption>\n<thead><tr>"
        for column in columns { text += "<th scope=\"col\"\(column.isNumber ? " class=\"n\"" : "")>\(column.title)</th>" }
        text += "</tr></thead>\n<tbody>\n" + rows.map(row).joined() + "</tbody>\n"
        if !footer.isEmpty { text += "<tfoot>\n" + footer.map(row).joined() + "</tfoot>\n" }
        return text + "</table></div>\n"
    }

    private func row(_ cells: [String]) -> String {
        var text = "<tr>"
        for (column, cell) in zip(columns, cells) {
            let isFirst = text.utf8.count == 4
            let mark = column.isNumber ? " class=\"n\"" : ""
            text += isFirst ? "<th scope=\"row\"\(mark)>\(cell)</th>" : "<td\(mark)>\(cell)</td>"
        }
        return text + "</tr>\n"
    }

    /// Words and what there is to say of each: a table without a row of headings.
    package static func facts(_ caption: String, _ facts: [(label: String, value: String)]) -> String {
        let rows = facts.map { "<tr><th scope=\"row\">\($0.label)</th><td>\($0.value)</td></tr>\n" }.joined()
        return
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table: \(plain(caption))\"><table class=\"facts\"><caption>\(caption)</caption>\n<tbody>\n\(rows)</tbody></table></div>\n"
    }

    /// Markup without its tags.
    private static func plain(_ markup: String) -> String {
        var text = ""
        var isTag = false
        for character in markup {
            if character == "<" { isTag = true } else if character == ">" { isTag = false } else if !isTag { text.append(character) }
        }
        return text
    }
}
