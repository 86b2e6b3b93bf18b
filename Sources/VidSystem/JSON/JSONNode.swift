/// A JSON value (RFC 8259) with its position in the text it was read from.
///
/// Objects keep the order of their members. Two nodes are equal if their values are; positions are not compared.
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
    /// The number of the text, for a tree made from several texts; 0 is the first.
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
    /// The value of `key` if this is an object with that key. Keys are compared byte by byte.
    package subscript(key: String) -> JSONNode? {
        objectMembers?.first { $0.key.hasSameBytes(as: key) }?.value
    }

    package var isNull: Bool {
        if case .null = value { true } else { false }
    }

    package var boolValue: Bool? {
        if case .bool(let bool) = value { bool } else { nil }
    }

    /// The value of an integer literal; nil for 16.0.
    package var integerValue: Int64? {
        if case .integer(let integer) = value { integer } else { nil }
    }

    /// The value of an integer literal that fits `Int`.
    package var intValue: Int? {
        integerValue.flatMap { Int(exactly: $0) }
    }

    /// The value of any number.
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
}

// MARK: - Equality

extension JSONNode: Equatable {
    /// Compares values only; 1 and 1.0 differ.
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

// MARK: - Building
//
//     let node: JSONNode = ["loss": .number(loss), "clips": .integer(clips), "classes": .array(labels.map { .string($0) })]

extension JSONNode {
    package static var null: JSONNode { JSONNode(.null) }

    package static func bool(_ bool: Bool) -> JSONNode { JSONNode(.bool(bool)) }

    package static func integer(_ integer: Int) -> JSONNode { JSONNode(.integer(Int64(integer))) }

    package static func integer(_ integer: Int64) -> JSONNode { JSONNode(.integer(integer)) }

    /// A number; if it is not finite it is written as null, because JSON cannot express it.
    package static func number(_ number: Double) -> JSONNode { JSONNode(.number(number)) }

    /// The shortest decimal that reads back as the same `Float`: 0.002, not 0.0020000000949949026.
    package static func number(_ number: Float) -> JSONNode {
        JSONNode(.number(Double(number.description) ?? Double(number)))
    }

    package static func string(_ string: String) -> JSONNode { JSONNode(.string(string)) }

    /// Null for nil.
    package static func integer(ifAny integer: Int?) -> JSONNode { integer.map { .integer($0) } ?? .null }
    /// Null for nil.
    package static func number(ifAny number: Double?) -> JSONNode { number.map { .number($0) } ?? .null }
    /// Null for nil.
    package static func string(ifAny string: String?) -> JSONNode { string.map { .string($0) } ?? .null }

    package static func array(_ elements: [JSONNode]) -> JSONNode { JSONNode(.array(elements)) }

    package static func object(_ members: [(String, JSONNode)]) -> JSONNode {
        JSONNode(.object(members.map { JSONMember($0, $1) }))
    }

    /// Replaces the value of the member `key`, or appends such a member. The node must be an object.
    package mutating func set(_ key: String, _ node: JSONNode) {
        guard case .object(var members) = value else { preconditionFailure("cannot set \(key) of a value that is not an object") }
        if let index = members.firstIndex(where: { $0.key.hasSameBytes(as: key) }) {
            members[index].value = node
        } else {
            members.append(JSONMember(key, node))
        }
        value = .object(members)
    }
}

extension JSONNode: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self.init(.null) }

    package init(booleanLiteral bool: Bool) { self.init(.bool(bool)) }

    package init(integerLiteral integer: Int64) { self.init(.integer(integer)) }

    package init(floatLiteral number: Double) { self.init(.number(number)) }

    package init(stringLiteral string: String) { self.init(.string(string)) }

    package init(arrayLiteral elements: JSONNode...) { self.init(.array(elements)) }

    /// Members in the order in which they are written; keys must differ.
    package init(dictionaryLiteral members: (String, JSONNode)...) {
        precondition(Set(members.map(\.0)).count == members.count, "a JSON object with a key twice: \(members.map(\.0))")
        self = .object(members)
    }
}
