import VidSystem

/// A part of the configuration that a codec reads, writes and describes.
package protocol ConfigurationValue: Sendable, Equatable {
    static var codec: ConfigurationCodec<Self> { get }
}

/// A struct that is a JSON object: its table of fields describes everything but the defaults, which are its properties' initial values.
package protocol ConfigurationSection: ConfigurationValue {
    /// Every value at its default.
    init()

    static var fields: [ConfigurationField<Self>] { get }
}

extension ConfigurationSection {
    package static var codec: ConfigurationCodec<Self> { tableCodec }

    /// The codec that follows from the table alone. A section with rules between its keys checks them in a `codec` of its own.
    static var tableCodec: ConfigurationCodec<Self> {
        let fields = fields
        return ConfigurationCodec(.section(fields.map { $0.shape(of: Self()) })) { node, path throws(ConfigurationFault) in
            guard let members = node.objectMembers else { throw .mismatch(path, expected: "an object", found: node) }
            var section = Self()
            for member in members {
                guard let field = fields.first(where: { $0.key.hasSameBytes(as: member.key) }) else {
                    throw unknownKey(member.key, among: fields.map(\.key), path)
                }
                try field.decode(member.value, path.appending(member.key), &section)
            }
            return section
        } encode: { section in
            .object(fields.map { ($0.key, $0.encode(section)) })
        }
    }
}

extension ConfigurationSection {
    /// A section or null, which turns it off.
    static var optionalCodec: ConfigurationCodec<Self?> {
        let codec = Self.codec
        return ConfigurationCodec(.nullable(codec.shape)) { node, path throws(ConfigurationFault) in
            if node.isNull { return nil }
            guard node.objectMembers != nil else { throw .mismatch(path, expected: "an object, or null", found: node) }
            return try codec.decode(node, path)
        } encode: {
            $0.map(codec.encode) ?? .null
        }
    }
}

/// One key of an object: its property, its codec, and one line of documentation.
package struct ConfigurationField<Root: Sendable>: Sendable {
    package typealias Decode = @Sendable (JSONNode, ConfigurationPath, inout Root) throws(ConfigurationFault) -> Void

    let key: String
    let documentation: String
    /// Reads the value at the path and stores it.
    let decode: Decode
    let encode: @Sendable (Root) -> JSONNode
    private let valueShape: ConfigurationShape

    init<Value>(
        _ key: String, _ property: any WritableKeyPath<Root, Value> & Sendable, _ codec: ConfigurationCodec<Value>, _ documentation: String
    ) {
        self.init(key: key, documentation: documentation, valueShape: codec.shape) { node, path, root throws(ConfigurationFault) in
            root[keyPath: property] = try codec.decode(node, path)
        } encode: {
            codec.encode($0[keyPath: property])
        }
    }

    private init(
        key: String, documentation: String, valueShape: ConfigurationShape, decode: @escaping Decode,
        encode: @escaping @Sendable (Root) -> JSONNode
    ) {
        self.key = key
        self.documentation = documentation
        self.valueShape = valueShape
        self.decode = decode
        self.encode = encode
    }

    /// The field's description, with its value in `initial` as the default.
    func shape(of initial: Root) -> ConfigurationFieldShape {
        ConfigurationFieldShape(key: key, documentation: documentation, defaultValue: encode(initial), shape: valueShape)
    }

    /// The same field of a value that wraps a `Root`, such as a case of an enumeration.
    func lifted<Outer>(
        into wrap: @escaping @Sendable (Root) -> Outer, from unwrap: @escaping @Sendable (Outer) -> Root
    ) -> ConfigurationField<Outer> {
        ConfigurationField<Outer>(key: key, documentation: documentation, valueShape: valueShape) {
            node, path, outer throws(ConfigurationFault) in
            var root = unwrap(outer)
            try decode(node, path, &root)
            outer = wrap(root)
        } encode: {
            encode(unwrap($0))
        }
    }
}

/// The fault for a key that the object at `path` does not have. The message suggests the nearest of its `keys`, or the paths
/// at which the key exists.
func unknownKey(_ key: String, among keys: [String], elsewhere: [String] = [], _ path: ConfigurationPath) -> ConfigurationFault {
    var message = "unknown key"
    if let nearest = nearestWord(to: key, among: keys) {
        message += "; did you mean \"\(nearest)\"?"
    } else if !elsewhere.isEmpty {
        message += "; did you mean \(elsewhere.joined(separator: " or "))?"
    } else {
        message += "."
    }
    message += " The keys here are \(keys.joined(separator: ", "))"
    return ConfigurationFault(path.appending(key), message, isAboutKey: true, knownKeys: keys)
}
