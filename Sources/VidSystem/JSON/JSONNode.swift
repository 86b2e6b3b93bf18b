/// A JSON value (RFC 8259) that knows where it stood in its text.
///
/// Objects keep the order of their members. Two nodes are equal when their values are; positions do not count.
package struct JSONNode: Sendable {
    package var value: JSONValue
    /// The value's first character.
    package var position: JSONPosition

    package init(_ value: JSONValue, at position: JSONPosition = JSONPosition()) {
        self.value = value
        self.position = position
    }
}

package enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A literal without fraction and exponent.
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([JSONMember])
}

/// One `"key": value` of an object.
package struct JSONMember: Sendable {
    package var key: String
    package var keyPosition: JSONPosition
    package var value: JSONNode

    package init(_ key: String, _ value: JSONNode, at keyPosition: JSONPosition = JSONPosition()) {
        self.key = key
        self.keyPosition = keyPosition
        self.value = value
    }
}

/// A place in a JSON text.
package struct JSONPosition: Sendable, Equatable {
    /// From 1.
    package var line = 1
    /// From 1, in Unicode scalars.
    package var column = 1
    /// In bytes from the start of the text.
    package var offset = 0
    /// Which text, for a tree put together from several: 0 is the first.
    package var source = 0

    package init(line: Int = 1, column: Int = 1, offset: Int = 0, source: Int = 0) {
        self.line = line
        self.column = column
        self.offset = offset
        self.source = source
    }
}

// MARK: - Reading

extension JSONNode {
    /// The value of `key` if this is an object that has it. Keys are compared byte by byte.
    package subscript(key: String) -> JSONNode? {
        objectMembers?.first { $0.key.hasSameBytes(as: key) }?.value
    }

    package var isNull: Bool {
        if case .null = value { true } else { false }
    }

    package var boolValue: Bool? {
        if case .bool(let bool) = value { bool } else { nil }
    }

    /// Of an integer literal only: 16.0 is none.
    package var integerValue: Int64? {
        if case .integer(let integer) = value { integer } else { nil }
    }

    /// Of an integer literal that fits `Int`.
    package var intValue: Int? {
        integerValue.flatMap { Int(exactly: $0) }
    }

    /// Of any number.
    package var doubleValue: Double? {
        switch value {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        default: nil
        }
    }

    package var stringValue: String? {
        if case .string(let string) = value { string } else { nil }
    }

    package var arrayElements: [JSONNode]? {
        if case .array(let elements) = value { elements } else { nil }
    }

    package var objectMembers: [JSONMember]? {
        if case .object(let members) = value { members } else { nil }
    }

    /// For messages: `the string "abc"`, `16.0`, `an object`. Long strings are cut.
    package var brief: String {
        switch value {
        case .null, .bool, .integer, .number: text()
        case .string(let string): "the string \(JSONNode.string(string.shortened).text())"
        case .array(let elements): elements.isEmpty ? "an empty array" : "an array"
        case .object(let members): members.isEmpty ? "an empty object" : "an object"
        }
    }
}

extension String {
    /// At most 60 scalars, for messages; what is cut is shown as dots.
    package var shortened: String {
        let scalars = unicodeScalars
        return scalars.dropFirst(60).isEmpty ? self : String(scalars.prefix(57)) + "..."
    }

    /// Byte equality; `==` on strings takes canonically equivalent ones as equal.
    package func hasSameBytes(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}

// MARK: - Equality

extension JSONNode: Equatable {
    /// Values only. 1 and 1.0 differ.
    package static func == (left: JSONNode, right: JSONNode) -> Bool {
        switch (left.value, right.value) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSONMember: Equatable {
    package static func == (left: JSONMember, right: JSONMember) -> Bool {
        left.key.hasSameBytes(as: right.key) && left.value == right.value
    }
}
