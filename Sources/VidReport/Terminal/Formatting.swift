/// Numbers, lines and tables as text, the same in every locale.
package enum Formatting {
    /// A number with `digits` decimals: `fixed(0.12345, 3)` is "0.123". Also "nan", "inf" and "-inf".
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

    /// Minutes and seconds, with hours if there are any: "0:08", "12:34", "3:04:05"; "?" for what is no duration.
    package static func duration(_ seconds: Double) -> String {
        // guard: hostile-times
        guard seconds.isFinite, abs(seconds) < 1e9 else { return "?" }
        let total = max(0, Int(seconds.rounded()))
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }

    /// A duration in a sentence: "0.4 s", "34 s", "5 min 25 s", "3 h 4 min".
    package static func time(_ seconds: Double) -> String {
        guard duration(seconds) != "?" else { return "?" }
        if seconds < 9.95 { return fixed(max(0, seconds), 1) + " s" }
        let total = Int(seconds.rounded())
        func pair(_ large: Int, _ unit: String, _ small: Int, _ smallUnit: String) -> String {
            "\(large) \(unit)" + (small > 0 ? " \(small) \(smallUnit)" : "")
        }
        if total < 60 { return "\(total) s" }
        return total < 3600 ? pair(total / 60, "min", total % 60, "s") : pair(total / 3600, "h", total / 60 % 60, "min")
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

    /// "a, b, c", or "a, b and 3 more" for more than `most` texts.
    package static func list(_ texts: [String], atMost most: Int = 8) -> String {
        texts.prefix(most).joined(separator: ", ") + (texts.count > most ? " and \(texts.count - most) more" : "")
    }

    /// The text with each line that is wider than `columns` broken between words.
    ///
    /// A word that is wider stays whole. Continuation lines begin at the second column of a table or, if the line has none, two
    /// columns further in than the line; `indent` sets their indentation instead.
    package static func wrapped(_ text: String, columns: Int, indent: Int? = nil) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let line = String(line)
            guard line.columns > columns else { return line }
            let indent = indent ?? hangingIndent(line, columns)
            var (done, current) = ("", "")
            // The spaces before a word belong to it, so that the columns of a table keep their places.
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

    /// The words of a line, each with the spaces before it. A command in backticks, and `--set` with its value, is one word, so that
    /// it can be copied.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var wasSpace = false
        var isCommand = false
        for (place, character) in line.enumerated() {
            let breaks = !isCommand && words.last?.hasSuffix("--set") != true
            if words.isEmpty || (character == " " && !wasSpace && breaks) { words.append("") }
            words[words.count - 1].append(character)
            wasSpace = character == " "
            if character == "`" { isCommand = !isCommand && line.dropFirst(place + 1).contains("`") }
        }
        return words
    }

    private static func hangingIndent(_ line: String, _ columns: Int) -> Int {
        let words = words(line)
        let start = words.first?.prefix { $0 == " " }.count ?? 0
        guard let second = words.indices.dropFirst().first(where: { words[$0].hasPrefix("  ") }) else { return start + 2 }
        let indent = words[..<second].joined().columns + words[second].prefix { $0 == " " }.count
        return indent > columns / 2 ? start + 2 : indent
    }

    /// A table with two spaces between its columns, each as wide as its widest cell; those in `right` are right-aligned.
    ///
    /// - Parameter paint: colours a cell; colours have no width.
    package static func table(
        _ rows: [[String]], right: Set<Int> = [], indent: String = "  ",
        paint: (_ row: Int, _ column: Int, _ cell: String) -> String = { $2 }
    ) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].columns : 0 }.max() ?? 0 }
        return rows.enumerated().map { row, cells in
            let line = cells.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.columns)
                let painted = paint(row, column, cell)
                return right.contains(column) ? padding + painted : painted + padding
            }
            return (indent + line.joined(separator: "  ")).trimmed + "\n"
        }.joined()
    }
}

extension String {
    /// The text without the spaces at its end.
    var trimmed: String { lastIndex { $0 != " " }.map { String(self[...$0]) } ?? "" }
}
