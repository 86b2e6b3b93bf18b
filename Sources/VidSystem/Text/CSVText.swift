/// Fields and lines of CSV (RFC 4180).
package enum CSVText {
    /// `text` as a field: in quotes if it contains a comma, a quote or a line end, or starts with a byte order mark, which readers
    /// would skip.
    package static func field(_ text: String) -> String {
        // By bytes: a reader sees a comma even if a combining accent follows it.
        guard text.utf8.contains(where: { special.contains($0) }) || text.utf8.starts(with: byteOrderMark) else { return text }
        var bytes: [UInt8] = [quote]
        for byte in text.utf8 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A line of `fields`, including its line end.
    package static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\n" }

    /// `text` as the content of a cell that no spreadsheet runs as a formula: with `'` in front if it starts with `=`, `+`, `-`, `@`,
    /// a tab or a line end (OWASP, CSV injection). Numbers stay as they are. `text(ofCell:)` gives back the same text.
    package static func cell(_ text: String) -> String { isFormula(text) && DecimalText.number(text) == nil ? "'" + text : text }

    /// The text of a cell that `cell(_:)` made; other cells stay as they are.
    package static func text(ofCell cell: String) -> String {
        cell.utf8.first == apostrophe && isFormula(cell) ? String(decoding: cell.utf8.dropFirst(), as: UTF8.self) : cell
    }

    /// Whether a formula starts after any number of apostrophes, so that a name that has apostrophes itself reads back, too. A sign
    /// alone is none.
    private static func isFormula(_ text: String) -> Bool {
        let rest = text.unicodeScalars.drop { $0 == "'" }
        return rest.first.map { formulaStarts.contains($0) } == true && rest.dropFirst().first != nil
    }

    /// The last four are the full-width forms, which some spreadsheets accept.
    private static let formulaStarts: [Unicode.Scalar] = [
        "=", "+", "-", "@", "\t", "\r", "\n", "\u{FF1D}", "\u{FF0B}", "\u{FF0D}", "\u{FF20}",
    ]
    private static let apostrophe = UInt8(ascii: "'")

    private static let quote = UInt8(ascii: "\"")
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let special: [UInt8] = [quote, UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
}

/// Numbers as vidclass writes them into tables: decimal digits, an optional minus sign, point and exponent. Hexadecimal digits,
/// infinity and words are refused. The locale has no influence.
package enum DecimalText {
    /// A finite number; nil for any other text.
    package static func number(_ text: String) -> Double? {
        guard text.utf8.first != UInt8(ascii: "+"), text.utf8.allSatisfy({ "0123456789.-+eE".utf8.contains($0) }),
            let number = Double(text), number.isFinite
        else { return nil }
        return number
    }

    /// An integer of at least 0 without leading zeros; nil for any other text.
    package static func whole(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), text == "0" || !text.hasPrefix("0")
        else { return nil }
        return Int(text)
    }
}
