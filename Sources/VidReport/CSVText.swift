/// CSV as RFC 4180 has it.
package enum CSVText {
    /// A field, in quotes where it holds a comma, a quote or a line end.
    package static func field(_ text: String) -> String {
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
