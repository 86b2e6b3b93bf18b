import VidSystem

/// Reads one kind of configuration value from JSON, writes it, and describes it.
package struct ConfigurationCodec<Value: Sendable>: Sendable {
    package typealias Decode = @Sendable (JSONNode, ConfigurationPath) throws(ConfigurationFault) -> Value

    /// Reads and checks the value at a path, which a fault names.
    package let decode: Decode
    package let encode: @Sendable (Value) -> JSONNode
    package let shape: ConfigurationShape

    package init(_ shape: ConfigurationShape, decode: @escaping Decode, encode: @escaping @Sendable (Value) -> JSONNode) {
        self.shape = shape
        self.decode = decode
        self.encode = encode
    }
}

// MARK: - Scalars

extension ConfigurationCodec where Value == Bool {
    static var boolean: Self {
        let summary = "true or false"
        return Self(.leaf(schema: ["type": "boolean"], summary: summary)) { node, path throws(ConfigurationFault) in
            guard let bool = node.boolValue else { throw .mismatch(path, expected: summary, found: node) }
            return bool
        } encode: {
            .bool($0)
        }
    }
}

extension ConfigurationCodec where Value: FixedWidthInteger & Sendable {
    /// An integer literal within `range`.
    static func integer(_ range: ClosedRange<Value>) -> Self {
        let summary = "an integer from \(range.lowerBound) to \(range.upperBound)"
        let schema: JSONNode = [
            "type": "integer", "minimum": .integer(Int64(range.lowerBound)), "maximum": .integer(Int64(range.upperBound)),
        ]
        return Self(.leaf(schema: schema, summary: summary)) { node, path throws(ConfigurationFault) in
            guard let integer = node.integerValue.flatMap({ Value(exactly: $0) }), range.contains(integer) else {
                throw .mismatch(path, expected: summary, found: node)
            }
            return integer
        } encode: {
            .integer(Int64($0))
        }
    }
}

extension ConfigurationCodec where Value == Double {
    static func number(_ bounds: NumberBounds) -> Self {
        Self(.leaf(schema: bounds.schema, summary: bounds.summary)) { node, path throws(ConfigurationFault) in
            guard let number = node.doubleValue, bounds.contains(number) else {
                throw .mismatch(path, expected: bounds.summary, found: node)
            }
            return number
        } encode: {
            .number($0)
        }
    }
}

extension ConfigurationCodec where Value == Float {
    /// The bounds also apply to the number rounded to single precision.
    static func number(_ bounds: NumberBounds) -> Self {
        Self(.leaf(schema: bounds.schema, summary: bounds.summary)) { node, path throws(ConfigurationFault) in
            guard let number = node.doubleValue, bounds.contains(number), case let rounded = Float(number), rounded.isFinite,
                bounds.contains(Double(rounded))
            else { throw .mismatch(path, expected: bounds.summary, found: node) }
            return rounded
        } encode: {
            .number($0)
        }
    }
}

extension ConfigurationCodec where Value == String {
    /// Any string except the empty one and those with a zero character, which no file name can hold.
    static func text(_ summary: String) -> Self {
        Self(.leaf(schema: ["type": "string", "minLength": 1], summary: summary)) { node, path throws(ConfigurationFault) in
            guard let string = node.stringValue, !string.isEmpty, !string.utf8.contains(0) else {
                throw .mismatch(path, expected: summary, found: node)
            }
            return string
        } encode: {
            .string($0)
        }
    }

    /// The name of a file or folder, not a path.
    static func fileName(_ summary: String) -> Self {
        let schema: JSONNode = ["type": "string", "pattern": "^(?!\\.{1,2}$)[^/\\x00-\\x1f\\x7f]+$"]
        return Self(.leaf(schema: schema, summary: summary)) { node, path throws(ConfigurationFault) in
            guard let string = node.stringValue, !["", ".", ".."].contains(string),
                string.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") })
            else { throw .mismatch(path, expected: summary, found: node) }
            return string
        } encode: {
            .string($0)
        }
    }
}

extension ConfigurationCodec where Value: RawRepresentable<String> & CaseIterable {
    /// One of the words of an enumeration, or only of these cases.
    static func word(_ cases: [Value] = Array(Value.allCases)) -> Self {
        let words = cases.map(\.rawValue)
        let schema: JSONNode = ["enum": .array(words.map { .string($0) })]
        return Self(.leaf(schema: schema, summary: "one of \(quotedList(words))")) { node, path throws(ConfigurationFault) in
            guard let index = words.firstIndex(where: { node.stringValue?.hasSameBytes(as: $0) == true }) else {
                throw unknownWord(node, among: words, path)
            }
            return cases[index]
        } encode: {
            .string($0.rawValue)
        }
    }
}

/// The fault for a node that is none of `words`.
func unknownWord(_ node: JSONNode, among words: [String], orElse alternative: String = "", _ path: ConfigurationPath) -> ConfigurationFault
{
    let hint = node.stringValue.flatMap { nearestWord(to: $0, among: words) }.map { "; did you mean \"\($0)\"?" } ?? ""
    return .mismatch(path, expected: "one of \(quotedList(words))\(alternative)", found: node, hint: hint)
}

// MARK: - Combinations

extension ConfigurationCodec {
    /// A value or null.
    static func nullable<Wrapped>(_ codec: ConfigurationCodec<Wrapped>) -> ConfigurationCodec<Wrapped?> where Value == Wrapped? {
        guard case .leaf(let schema, let summary) = codec.shape else { preconditionFailure("only a leaf can be null") }
        let shape = ConfigurationShape.leaf(schema: ["anyOf": [schema, ["type": "null"]]], summary: "\(summary), or null")
        return ConfigurationCodec<Wrapped?>(shape) { node, path throws(ConfigurationFault) in
            if node.isNull { return nil }
            do {
                return try codec.decode(node, path)
            } catch {
                throw .mismatch(path, expected: "\(summary), or null", found: node)
            }
        } encode: {
            $0.map(codec.encode) ?? .null
        }
    }

    /// An array of up to 256 elements.
    static func list<Element>(of element: ConfigurationCodec<Element>, _ summary: String) -> Self where Value == [Element] {
        Self(.list(of: element.shape, summary: summary)) { node, path throws(ConfigurationFault) in
            guard let nodes = node.arrayElements else { throw .mismatch(path, expected: summary, found: node) }
            // guard: length-of-list
            guard nodes.count <= ConfigurationShape.longestList else {
                throw ConfigurationFault(path, "expected at most \(ConfigurationShape.longestList) elements, found \(nodes.count)")
            }
            var values: [Element] = []
            for (index, node) in nodes.enumerated() {
                values.append(try element.decode(node, path.appending(index)))
            }
            return values
        } encode: {
            .array($0.map(element.encode))
        }
    }
}
