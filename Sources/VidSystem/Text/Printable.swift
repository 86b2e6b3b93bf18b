extension String {
    /// The text on one line, with control characters and changes of the writing direction as escapes.
    package var printable: String { unicodeScalars.reduce(into: "") { $0 += $1.printable } }

    /// The text without the characters around it for which `isBlank` is true.
    package func trimmed(of isBlank: (Unicode.Scalar) -> Bool) -> String {
        guard let first = unicodeScalars.firstIndex(where: { !isBlank($0) }), let last = unicodeScalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(unicodeScalars[first...last])
    }

    /// Like `printable`, but keeps line ends.
    package var printableLines: String { unicodeScalars.reduce(into: "") { $0 += $1 == "\n" ? "\n" : $1.printable } }

    /// Like `printable`, cut to 80 characters: for text from a file in a message.
    package var brief: String {
        let scalars = unicodeScalars.prefix(81)
        return String(String.UnicodeScalarView(scalars.prefix(80))).printable + (scalars.count > 80 ? "..." : "")
    }

    /// The text cut to 60 characters, with dots in place of the rest.
    package var shortened: String {
        unicodeScalars.dropFirst(60).isEmpty ? self : String(unicodeScalars.prefix(57)) + "..."
    }

    /// Compares bytes; `==` treats canonically equivalent strings as equal.
    package func hasSameBytes(as other: String) -> Bool { utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8) }

    /// The text whose UTF-8 these bytes are; nil if they are not valid. For many short texts: `String(validating:as:)` says the same, and
    /// takes several times as long.
    package init?(utf8 bytes: UnsafeRawBufferPointer) {
        self.init(decoding: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
        // What is not valid was replaced.
        let isWhole = withUTF8 { own in
            guard own.count == bytes.count, let first = own.baseAddress, let other = bytes.baseAddress else { return bytes.isEmpty }
            return memcmp(first, other, own.count) == 0
        }
        guard isWhole else { return nil }
    }
}

/// A text that is equal to another only if all bytes are: Swift's strings are equal if they look the same.
package struct ByteText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (a: ByteText, b: ByteText) -> Bool { a.text.hasSameBytes(as: b.text) }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension Unicode.Scalar {
    /// Whether texts for people show the character as an escape: it could steer a terminal (control characters, changes of line or writing
    /// direction), or nobody sees it (it takes no space and joins nothing).
    var isEscaped: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF: true
        default: false
        }
    }

    /// The character itself, or its escape if it is `isEscaped`.
    fileprivate var printable: String {
        switch value {
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        default: isEscaped ? "\\u{\(String(value, radix: 16))}" : String(self)
        }
    }
}

extension Sequence<UInt8> {
    /// The bytes as lower-case hexadecimal digits, two each.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
