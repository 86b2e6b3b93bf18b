// Building JSON in code:
//
//     let node: JSONNode = ["loss": .number(loss), "clips": .integer(clips), "classes": .array(labels.map { .string($0) })]
//     print(node.text(pretty: true))

extension JSONNode {
    package static var null: JSONNode { JSONNode(.null) }

    package static func bool(_ bool: Bool) -> JSONNode { JSONNode(.bool(bool)) }

    package static func integer(_ integer: Int) -> JSONNode { JSONNode(.integer(Int64(integer))) }

    package static func integer(_ integer: Int64) -> JSONNode { JSONNode(.integer(integer)) }

    /// A number that is not finite is written as null, because JSON has no word for it.
    package static func number(_ number: Double) -> JSONNode { JSONNode(.number(number)) }

    /// The shortest decimal that reads back as the same `Float`: 0.002, not 0.0020000000949949026.
    package static func number(_ number: Float) -> JSONNode {
        JSONNode(.number(Double(number.description) ?? Double(number)))
    }

    package static func string(_ string: String) -> JSONNode { JSONNode(.string(string)) }

    package static func array(_ elements: [JSONNode]) -> JSONNode { JSONNode(.array(elements)) }

    package static func object(_ members: [(String, JSONNode)]) -> JSONNode {
        JSONNode(.object(members.map { JSONMember($0, $1) }))
    }

    /// Adds a member at the end, or replaces the value of the one there is. The node must be an object.
    package mutating func set(_ key: String, _ node: JSONNode) {
        guard case .object(var members) = value else { preconditionFailure("cannot set \(key) of \(brief)") }
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

    /// Members in the order they are written; keys must differ.
    package init(dictionaryLiteral members: (String, JSONNode)...) {
        precondition(Set(members.map(\.0)).count == members.count, "a JSON object with a key twice: \(members.map(\.0))")
        self = .object(members)
    }
}
