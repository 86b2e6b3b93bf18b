extension String {
    /// The text on one line: control characters and those that turn the reading direction are shown as escapes.
    package var printable: String { unicodeScalars.reduce(into: "") { $0 += $1.printable } }

    /// The text with its line ends as they are, and otherwise as `printable` has it.
    package var printableLines: String { unicodeScalars.reduce(into: "") { $0 += $1 == "\n" ? "\n" : $1.printable } }

    /// As `printable` has it, cut to 80 characters: something out of a file in a message.
    package var brief: String {
        let scalars = unicodeScalars.prefix(81)
        return String(String.UnicodeScalarView(scalars.prefix(80))).printable + (scalars.count > 80 ? "..." : "")
    }
}

extension Unicode.Scalar {
    /// As it is, or an escape.
    fileprivate var printable: String {
        switch value {
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        case 0..<0x20, 0x7F..<0xA0, 0x61C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: "\\u{\(String(value, radix: 16))}"
        default: String(self)
        }
    }
}
