extension JSONNode {
    /// The node as JSON text, with members in their order and each number as the shortest decimal that reads back the same.
    ///
    /// Compact text has no white space. Pretty text is indented by two spaces per level; a container stays on one line if it fits
    /// into `width` columns, except for the outermost one. There is no newline at the end.
    package func text(pretty: Bool = false, width: Int = 100) -> String {
        var writer = JSONWriter(width: width)
        if pretty {
            writer.writePretty(self, level: 0, column: 0, suffix: 0)
        } else {
            writer.write(self, spaced: false)
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// The node as pretty text on its own lines, indented by one level: an element of an array that is written bit by bit.
    package func elementText(width: Int = 100) -> String {
        var writer = JSONWriter(width: width)
        writer.writePretty(self, level: 1, column: 2, suffix: 1)
        return "  " + String(decoding: writer.bytes, as: UTF8.self)
    }

    /// A description for messages: `the string "abc"`, `16.0`, `an object`. Long strings are cut.
    package var brief: String {
        switch value {
        case .null, .bool, .integer, .number: text()
        case .string(let string): "the string \(JSONNode.string(string.shortened).text())"
        case .array(let elements): elements.isEmpty ? "an empty array" : "an array"
        case .object(let members): members.isEmpty ? "an empty object" : "an object"
        }
    }
}

private struct JSONWriter {
    var bytes: [UInt8] = []
    let width: Int

    mutating func put(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func writeScalar(_ node: JSONNode) {
        switch node.value {
        case .null: put("null")
        case .bool(let bool): put(bool ? "true" : "false")
        case .integer(let integer): bytes.append(contentsOf: integer.description.utf8)
        case .number(let number):
            if number.isFinite { bytes.append(contentsOf: number.description.utf8) } else { put("null") }
        case .string(let string): writeString(string)
        case .array, .object: preconditionFailure("an array or object is not a scalar")
        }
    }

    /// Also escapes characters that could steer a terminal.
    mutating func writeString(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in string.unicodeScalars {
            switch scalar.value {
            case 0x22: put("\\\"")
            case 0x5C: put("\\\\")
            case 0x08: put("\\b")
            case 0x09: put("\\t")
            case 0x0A: put("\\n")
            case 0x0C: put("\\f")
            case 0x0D: put("\\r")
            case let value where scalar.isEscaped:
                put("\\u")
                bytes.append(contentsOf: [UInt8(value >> 8), UInt8(value & 0xFF)].hexadecimal.utf8)
            default: bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes on one line; `spaced` puts a space after commas and colons and inside braces.
    mutating func write(_ node: JSONNode, spaced: Bool) {
        switch node.value {
        case .array(let elements):
            put("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { put(spaced ? ", " : ",") }
                write(element, spaced: spaced)
            }
            put("]")
        case .object(let members):
            let pad = spaced && !members.isEmpty
            put(pad ? "{ " : "{")
            for (index, member) in members.enumerated() {
                if index > 0 { put(spaced ? ", " : ",") }
                writeString(member.key)
                put(spaced ? ": " : ":")
                write(member.value, spaced: spaced)
            }
            put(pad ? " }" : "}")
        default: writeScalar(node)
        }
    }

    /// Writes a node that starts at `column`. `suffix` is the length of what follows it on its last line (a comma or nothing).
    mutating func writePretty(_ node: JSONNode, level: Int, column: Int, suffix: Int) {
        guard let count = node.childCount else { return writeScalar(node) }
        if count == 0 || (level > 0 && fitsOneLine(node, from: column, suffix: suffix)) {
            return write(node, spaced: true)
        }
        switch node.value {
        case .array(let elements):
            put("[")
            for (index, element) in elements.enumerated() {
                newLine(level + 1)
                let last = index + 1 == count
                writePretty(element, level: level + 1, column: 2 * (level + 1), suffix: last ? 0 : 1)
                if !last { put(",") }
            }
            newLine(level)
            put("]")
        case .object(let members):
            put("{")
            for (index, member) in members.enumerated() {
                newLine(level + 1)
                let start = bytes.count
                writeString(member.key)
                put(": ")
                let last = index + 1 == count
                let column = 2 * (level + 1) + bytes.count - start
                writePretty(member.value, level: level + 1, column: column, suffix: last ? 0 : 1)
                if !last { put(",") }
            }
            newLine(level)
            put("}")
        default: break
        }
    }

    private mutating func newLine(_ level: Int) {
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }

    private func fitsOneLine(_ node: JSONNode, from column: Int, suffix: Int) -> Bool {
        guard (node.childCount ?? 0) * 3 + column <= width else { return false }
        var trial = JSONWriter(width: width)
        trial.write(node, spaced: true)
        return column + trial.bytes.count + suffix <= width
    }
}

extension JSONNode {
    /// Number of elements or members; nil for a scalar.
    fileprivate var childCount: Int? {
        switch value {
        case .array(let elements): elements.count
        case .object(let members): members.count
        default: nil
        }
    }
}
