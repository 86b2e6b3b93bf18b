/// A node through `Codable`'s coders: any JSON value. Positions are lost.
///
/// A coder decides what a number is: Foundation's `JSONDecoder` reads 1.0 as an integer.
extension JSONNode: Codable {
    package init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: AnyKey.self) {
            self.init(
                .object(
                    try container.allKeys.map { key in
                        JSONMember(key.stringValue, try container.decode(JSONNode.self, forKey: key))
                    }))
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONNode] = []
            while !container.isAtEnd { elements.append(try container.decode(JSONNode.self)) }
            self.init(.array(elements))
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self.init(.null)
            } else if let bool = try? container.decode(Bool.self) {
                self.init(.bool(bool))
            } else if let integer = try? container.decode(Int64.self) {
                self.init(.integer(integer))
            } else if let number = try? container.decode(Double.self) {
                self.init(.number(number))
            } else {
                self.init(.string(try container.decode(String.self)))
            }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        switch value {
        case .object(let members):
            var container = encoder.container(keyedBy: AnyKey.self)
            for member in members { try container.encode(member.value, forKey: AnyKey(member.key)) }
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .bool(let bool):
            var container = encoder.singleValueContainer()
            try container.encode(bool)
        case .integer(let integer):
            var container = encoder.singleValueContainer()
            try container.encode(integer)
        case .number(let number):
            var container = encoder.singleValueContainer()
            try container.encode(number)
        case .string(let string):
            var container = encoder.singleValueContainer()
            try container.encode(string)
        }
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ key: String) { stringValue = key }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
