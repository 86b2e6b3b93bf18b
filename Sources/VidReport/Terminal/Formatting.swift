/// Numbers as people read them, the same in every locale.
package enum Formatting {
    /// Fixed digits after the point: `fixed(0.12345, 3)` is "0.123". "nan" and "inf" as they are.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let integer = UInt64(scaled)
        let whole = String(integer / UInt64(scale))
        let sign = value < 0 && integer > 0 ? "-" : ""
        guard digits > 0 else { return sign + whole }
        let fraction = String(integer % UInt64(scale))
        return sign + whole + "." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// "0:08", "12:34", "3:04:05".
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e9 else { return "?" }
        let total = max(0, Int(seconds.rounded()))
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }

    /// "512 B", "1.4 MiB", "2.0 GiB".
    package static func bytes(_ count: Int) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB"] {
            if value < 1024 { return (unit == "B" ? "\(count)" : fixed(value, 1)) + " " + unit }
            value /= 1024
        }
        return fixed(value, 1) + " GiB"
    }

    /// "14,714,688".
    package static func grouped(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return (value < 0 ? "-" : "") + text
    }

    /// "1 clip", "2 clips".
    package static func count(_ value: Int, _ noun: String, _ plural: String? = nil) -> String {
        "\(grouped(value)) " + (value == 1 ? noun : plural ?? noun + "s")
    }

    /// The text with lines that take more than `columns` columns broken between words; what goes on stands below the second column
    /// of a table, or a little further in than the line.
    package static func wrapped(_ text: String, columns: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let line = String(line)
            guard line.columns > columns else { return line }
            let indent = hangingIndent(line, columns)
            var (done, current) = ("", "")
            // A gap goes with the word after it: the columns of a table stay where they are.
            for word in words(line) {
                if current.columns + word.columns > columns, !current.allSatisfy({ $0 == " " }) {
                    done += current + "\n"
                    current = String(repeating: " ", count: indent) + word.drop { $0 == " " }
                } else {
                    current += word
                }
            }
            return done + current
        }.joined(separator: "\n")
    }

    /// The words of a line, each with the spaces before it.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var wasSpace = false
        for character in line {
            if words.isEmpty || (character == " " && !wasSpace) { words.append("") }
            words[words.count - 1].append(character)
            wasSpace = character == " "
        }
        return words
    }

    private static func hangingIndent(_ line: String, _ columns: Int) -> Int {
        let characters = Array(line)
        let start = characters.firstIndex { $0 != " " } ?? 0
        var indent = start + 2
        if let gap = characters.indices.first(where: {
            $0 > start && $0 + 1 < characters.count && characters[$0] == " " && characters[$0 + 1] == " "
        }),
            let second = characters[gap...].firstIndex(where: { $0 != " " })
        {
            indent = second
        }
        return indent > columns / 2 ? start + 2 : indent
    }

    /// Columns padded to the widest cell; those in `right` are right-aligned.
    package static func table(_ rows: [[String]], right: Set<Int> = [], indent: String = "  ") -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].columns : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = indent
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.columns)
                line += right.contains(column) ? padding + cell : cell + padding
                if column + 1 < row.count { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
