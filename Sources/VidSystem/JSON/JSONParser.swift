/// A strict parser of JSON (RFC 8259) that keeps the position of every value and key.
///
/// It is stricter where the RFC allows a choice. The text must be UTF-8 (a byte order mark at the start is skipped), an object has each
/// key once, nesting and the number of values are limited, surrogates come in pairs, and numbers must be representable: a
/// literal without fraction and exponent as `Int64`, any other as a finite `Double`. The caller limits the size of the text.
package enum JSONParser {
    package static let defaultMaximumDepth = 32

    /// Each value takes about 50 bytes of memory, but possibly only two bytes of the text.
    package static let defaultMaximumValues = 1 << 20

    /// The one value in `bytes`. `source` goes into every position, for trees made from several texts.
    package static func parse(
        _ bytes: [UInt8], maximumDepth: Int = defaultMaximumDepth, maximumValues: Int = defaultMaximumValues, source: Int = 0
    ) throws(JSONSyntaxError) -> JSONNode {
        try bytes.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
            try parse(UnsafeRawBufferPointer(bytes), maximumDepth: maximumDepth, maximumValues: maximumValues, source: source)
        }
    }

    package static func parse(
        _ text: String, maximumDepth: Int = defaultMaximumDepth, maximumValues: Int = defaultMaximumValues, source: Int = 0
    ) throws(JSONSyntaxError) -> JSONNode {
        try parse(Array(text.utf8), maximumDepth: maximumDepth, maximumValues: maximumValues, source: source)
    }

    package static func parse(
        _ bytes: UnsafeRawBufferPointer, maximumDepth: Int = defaultMaximumDepth, maximumValues: Int = defaultMaximumValues, source: Int = 0
    ) throws(JSONSyntaxError) -> JSONNode {
        var scanner = JSONScanner(bytes, source: source)
        try scanner.skipByteOrderMark()
        var parse = JSONParse(scanner: scanner, maximumDepth: maximumDepth, maximumValues: maximumValues)
        return try parse.document()
    }
}

/// One run of the parser: recursive descent, as deep as `maximumDepth`.
private struct JSONParse {
    var scanner: JSONScanner
    let maximumDepth: Int
    let maximumValues: Int
    var values = 0

    mutating func document() throws(JSONSyntaxError) -> JSONNode {
        scanner.skipWhitespace()
        let node = try value(depth: 0)
        scanner.skipWhitespace()
        guard scanner.isAtEnd else { throw scanner.unexpected("the end of the text") }
        return node
    }

    mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
        let position = scanner.position
        values += 1
        // guard: number-of-json-values
        guard values <= maximumValues else {
            throw JSONSyntaxError("more than \(maximumValues) values", at: position)
        }
        switch scanner.next {
        case UInt8(ascii: "{"): return JSONNode(.object(try members(depth: depth + 1)), at: position)
        case UInt8(ascii: "["): return JSONNode(.array(try elements(depth: depth + 1)), at: position)
        case UInt8(ascii: "\""): return JSONNode(.string(try scanner.string()), at: position)
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return JSONNode(try scanner.number(), at: position)
        default:
            if scanner.skip("true") { return JSONNode(.bool(true), at: position) }
            if scanner.skip("false") { return JSONNode(.bool(false), at: position) }
            if scanner.skip("null") { return JSONNode(.null, at: position) }
            throw scanner.unexpected("a value")
        }
    }

    mutating func elements(depth: Int) throws(JSONSyntaxError) -> [JSONNode] {
        try enter(depth)
        var elements: [JSONNode] = []
        scanner.skipWhitespace()
        if scanner.skip("]") { return elements }
        while true {
            scanner.skipWhitespace()
            if !elements.isEmpty, scanner.next == UInt8(ascii: "]") { throw scanner.unexpected("a value after ','") }
            elements.append(try value(depth: depth))
            scanner.skipWhitespace()
            if scanner.skip(",") { continue }
            if scanner.skip("]") { return elements }
            throw scanner.unexpected("',' or ']'")
        }
    }

    mutating func members(depth: Int) throws(JSONSyntaxError) -> [JSONMember] {
        try enter(depth)
        var members: [JSONMember] = []
        // By their bytes, because canonically equivalent strings are equal.
        var places: [[UInt8]: JSONPosition] = [:]
        scanner.skipWhitespace()
        if scanner.skip("}") { return members }
        while true {
            scanner.skipWhitespace()
            let position = scanner.position
            guard scanner.next == UInt8(ascii: "\"") else {
                throw scanner.unexpected(members.isEmpty ? "a key in double quotes or '}'" : "a key in double quotes after ','")
            }
            let key = try scanner.string()
            if let first = places.updateValue(position, forKey: Array(key.utf8)) {
                throw JSONSyntaxError(
                    "the key \(JSONNode.string(key.shortened).text()) appears twice, first at line \(first.line), column \(first.column)",
                    at: position)
            }
            scanner.skipWhitespace()
            guard scanner.skip(":") else { throw scanner.unexpected("':' after a key") }
            scanner.skipWhitespace()
            members.append(JSONMember(key, try value(depth: depth), at: position))
            scanner.skipWhitespace()
            if scanner.skip(",") { continue }
            if scanner.skip("}") { return members }
            throw scanner.unexpected("',' or '}'")
        }
    }

    /// Skips the opening bracket of a container at `depth`.
    private mutating func enter(_ depth: Int) throws(JSONSyntaxError) {
        // guard: nesting-of-json
        guard depth <= maximumDepth else {
            throw JSONSyntaxError("nested deeper than \(maximumDepth) levels", at: scanner.position)
        }
        scanner.advance()
    }
}
