/// Reads the tokens of JSON: white space, punctuation, words, strings, numbers.
///
/// Line breaks occur only between tokens, so the column follows from the offset, the start of the line, and the number of UTF-8
/// continuation bytes since then.
struct JSONScanner {
    let bytes: UnsafeRawBufferPointer
    let source: Int
    private var offset = 0
    private var line = 1
    private var lineStart = 0
    private var continuationBytes = 0

    init(_ bytes: UnsafeRawBufferPointer, source: Int) {
        self.bytes = bytes
        self.source = source
    }

    var position: JSONPosition {
        JSONPosition(line: line, column: offset - lineStart - continuationBytes + 1, offset: offset, source: source)
    }

    var isAtEnd: Bool { offset == bytes.count }

    /// The next byte; nil at the end.
    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func advance(by count: Int = 1) { offset += count }

    mutating func skipByteOrderMark() throws(JSONSyntaxError) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            offset = 3
            lineStart = 3
        } else if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            throw JSONSyntaxError("the text is UTF-16; JSON is UTF-8", at: position)
        }
    }

    mutating func skipWhitespace() {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): offset += 1
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                offset += 1
                // "\r\n" is one line break.
                if byte == UInt8(ascii: "\r"), next == UInt8(ascii: "\n") { offset += 1 }
                line += 1
                lineStart = offset
                continuationBytes = 0
            default: return
            }
        }
    }

    /// Skips `word` if the text continues with it.
    mutating func skip(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard count <= bytes.count - offset,
            word.withUTF8Buffer({ $0.elementsEqual(bytes[offset..<offset + count]) })
        else { return false }
        offset += count
        return true
    }

    // MARK: - Numbers

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        var isIntegral = true
        let isNegative = skip("-")
        if skip("0") {
            if let byte = next, isDigit(byte) { throw JSONSyntaxError("a number with a leading zero", at: start) }
        } else {
            try digits("a digit after '-'")
        }
        if skip(".") {
            isIntegral = false
            try digits("a digit after '.'")
        }
        if skip("e") || skip("E") {
            isIntegral = false
            if !skip("+") { _ = skip("-") }
            try digits("a digit in the exponent")
        }
        let text = String(decoding: bytes[start.offset..<offset], as: UTF8.self)
        if isIntegral {
            guard let integer = Int64(text) else { throw JSONSyntaxError("the integer \(text.shortened) does not fit 64 bits", at: start) }
            return integer == 0 && isNegative ? .number(-0.0) : .integer(integer)
        }
        guard let number = Double(text), number.isFinite else {
            throw JSONSyntaxError("the number \(text.shortened) does not fit double precision", at: start)
        }
        return .number(number)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    private mutating func digits(_ expected: String) throws(JSONSyntaxError) {
        let start = offset
        while let byte = next, isDigit(byte) { offset += 1 }
        if offset == start { throw unexpected(expected) }
    }

    // MARK: - Strings

    /// A string from its opening to its closing quote.
    mutating func string() throws(JSONSyntaxError) -> String {
        let start = position
        offset += 1
        var unescaped: [UInt8] = []
        var segment = offset
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                let rest = bytes[segment..<offset]
                offset += 1
                if unescaped.isEmpty { return String(decoding: rest, as: UTF8.self) }
                unescaped.append(contentsOf: rest)
                return String(decoding: unescaped, as: UTF8.self)
            case UInt8(ascii: "\\"):
                unescaped.append(contentsOf: bytes[segment..<offset])
                try escape(into: &unescaped)
                segment = offset
            case 0..<0x20:
                throw JSONSyntaxError(
                    byte == 0x0A || byte == 0x0D
                        ? "a string does not end on its line"
                        : "the control character \(hexadecimal(byte)) in a string; write it as an escape",
                    at: byte == 0x0A || byte == 0x0D ? start : position)
            case 0x20..<0x80: offset += 1
            default: try multiByteScalar()
            }
        }
        throw JSONSyntaxError("a string does not end", at: start)
    }

    /// Skips one scalar of two to four bytes if it is well-formed (Unicode 15, table 3-7).
    private mutating func multiByteScalar() throws(JSONSyntaxError) {
        let first = bytes[offset]
        let (count, second): (Int, ClosedRange<UInt8>) =
            switch first {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0...0)
            }
        guard count > 0, offset + count <= bytes.count, second.contains(bytes[offset + 1]),
            bytes[offset + 2..<offset + max(count, 2)].allSatisfy({ $0 & 0xC0 == 0x80 })
        else { throw JSONSyntaxError("the byte \(hexadecimal(first)) is not valid UTF-8", at: position) }
        offset += count
        continuationBytes += count - 1
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(JSONSyntaxError) {
        let start = position
        offset += 1
        guard let byte = next else { throw JSONSyntaxError("a string does not end", at: start) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            var unit = try hexadecimalUnit(start)
            if 0xDC00...0xDFFF ~= unit { throw JSONSyntaxError("the second half of a surrogate pair without the first", at: start) }
            if 0xD800...0xDBFF ~= unit {
                guard skip("\\u"), case let low = try hexadecimalUnit(start), 0xDC00...0xDFFF ~= low else {
                    throw JSONSyntaxError("the first half of a surrogate pair without the second", at: start)
                }
                unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(unit) else { preconditionFailure("U+\(String(unit, radix: 16)) is a surrogate") }
            unescaped.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        default:
            throw JSONSyntaxError("unknown escape in a string; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX", at: start)
        }
    }

    private mutating func hexadecimalUnit(_ start: JSONPosition) throws(JSONSyntaxError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw JSONSyntaxError("\\u takes four hexadecimal digits", at: start)
            }
            unit = unit << 4 | UInt32(digit)
            offset += 1
        }
        return unit
    }

    // MARK: - Errors

    /// The error for finding something else than expected, with a hint if it looks like another dialect of JSON.
    func unexpected(_ expected: String) -> JSONSyntaxError {
        JSONSyntaxError("expected \(expected), found \(found)", at: position)
    }

    private var found: String {
        guard let byte = next else { return "the end of the text" }
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "#"): return "'\(Unicode.Scalar(byte))' (JSON has no comments)"
        case UInt8(ascii: "'"): return "' (JSON's strings are in double quotes)"
        case UInt8(ascii: "]"), UInt8(ascii: "}"): return "'\(Unicode.Scalar(byte))'"
        case 0: return "a zero byte (is the text UTF-16? JSON is UTF-8)"
        case 0x21..<0x7F:
            let rest = bytes[offset..<min(offset + 24, bytes.count)]
            let word = rest.prefix { $0 == UInt8(ascii: "_") || Character(Unicode.Scalar($0)).isLetter && $0 < 0x80 }
            return switch String(decoding: word, as: UTF8.self) {
            case "": "'\(Unicode.Scalar(byte))'"
            case "True", "TRUE", "False", "FALSE", "None", "NULL", "Null", "nil", "undefined":
                "'\(String(decoding: word, as: UTF8.self))' (JSON's words are true, false and null)"
            case "NaN", "Infinity", "inf", "nan": "'\(String(decoding: word, as: UTF8.self))' (JSON's numbers are finite)"
            case let text: "'\(text)'"
            }
        default: return "the byte \(hexadecimal(byte))"
        }
    }

    private func hexadecimal(_ byte: UInt8) -> String { "0x" + [byte].hexadecimal.uppercased() }
}

/// Why a text is not a JSON document, and where.
package struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    package var position: JSONPosition
    package var message: String

    package init(_ message: String, at position: JSONPosition) {
        self.position = position
        self.message = message
    }

    package var description: String {
        "line \(position.line), column \(position.column): \(message)"
    }
}
