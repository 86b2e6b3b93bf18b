/// Numbers of tables as vidclass writes them: decimal digits, a sign in front where it is a minus, a point, an exponent. No
/// hexadecimal, no infinity, no words, in every locale.
package enum DecimalText {
    /// A finite number; nil for any other text.
    package static func number(_ text: String) -> Double? {
        guard isPlain(text), let number = Double(text), number.isFinite else { return nil }
        return number
    }

    /// A whole number from 0 on without leading zeros; nil for any other text.
    package static func whole(_ text: String) -> Int? {
        guard isDigits(text), text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0") else { return nil }
        return Int(text)
    }

    private static func isDigits(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isPlain(_ text: String) -> Bool {
        text.utf8.first != UInt8(ascii: "+") && text.utf8.allSatisfy { "0123456789.-+eE".utf8.contains($0) }
    }
}
