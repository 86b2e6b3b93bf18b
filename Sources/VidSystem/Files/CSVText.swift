/// CSV as RFC 4180 has it.
package enum CSVText {
    /// A field, in quotes where it holds a comma, a quote or a line end, or begins with a byte order mark, which readers pass over.
    package static func field(_ text: String) -> String {
        // By bytes: a comma with a combining accent behind it is a comma to whoever reads the file.
        guard text.utf8.contains(where: { special.contains($0) }) || text.utf8.starts(with: byteOrderMark) else { return text }
        var bytes: [UInt8] = [quote]
        for byte in text.utf8 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A line of `fields`, its end included.
    package static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\n" }

    private static let quote = UInt8(ascii: "\"")
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let special: [UInt8] = [quote, UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r")]
}
