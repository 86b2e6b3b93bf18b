extension String {
    /// The text on one line: control characters and those that turn the reading direction are shown as escapes.
    package var printable: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0x0A: text += "\\n"
            case 0x0D: text += "\\r"
            case 0x09: text += "\\t"
            case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069: text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// The same, cut to 80 characters: something out of a file in a message.
    package var brief: String {
        let scalars = unicodeScalars.prefix(81)
        return String(String.UnicodeScalarView(scalars.prefix(80))).printable + (scalars.count > 80 ? "..." : "")
    }
}
