import VidSystem

/// The form of a configuration value; the schema and the reference table are made from it.
package indirect enum ConfigurationShape: Sendable {
    /// A value described by JSON Schema keywords and, in words, by a summary such as `an integer from 1 to 64`.
    case leaf(schema: JSONNode, summary: String)
    /// An object with these keys.
    case section([ConfigurationFieldShape])
    /// An object whose keys depend on the word at the key `tag`; a missing tag means `defaultWord`.
    case union(tag: String, defaultWord: String?, variants: [ConfigurationVariantShape])
    /// Such an object, or null.
    case nullable(ConfigurationShape)
    /// An array of such values.
    case list(of: ConfigurationShape, summary: String)

    /// The most elements of an array.
    static let longestList = 256
}

/// One key of a section.
package struct ConfigurationFieldShape: Sendable {
    package let key: String
    /// One line.
    package let documentation: String
    package let defaultValue: JSONNode
    package let shape: ConfigurationShape
}

/// The keys of a union's object under one word.
package struct ConfigurationVariantShape: Sendable {
    package let word: String
    package let documentation: String
    package let fields: [ConfigurationFieldShape]
}

// MARK: - Schema

extension ConfigurationShape {
    /// The JSON Schema of such a value.
    var schema: JSONNode {
        switch self {
        case .leaf(let schema, _): return schema
        case .list(let element, _): return ["type": "array", "maxItems": .integer(ConfigurationShape.longestList), "items": element.schema]
        case .section(let fields): return ConfigurationShape.object(fields)
        case .nullable(let shape): return ["anyOf": [shape.schema, ["type": "null"]]]
        case .union(let tag, let defaultWord, let variants):
            return [
                "anyOf": .array(
                    variants.map { variant in
                        let word: JSONNode = ["const": .string(variant.word), "description": .string(variant.documentation)]
                        return ConfigurationShape.object(variant.fields, tag: (tag, word), isTagRequired: variant.word != defaultWord)
                    })
            ]
        }
    }

    private static func object(_ fields: [ConfigurationFieldShape], tag: (String, JSONNode)? = nil, isTagRequired: Bool = false) -> JSONNode
    {
        let properties = fields.map { ($0.key, property($0)) }
        var schema: JSONNode = ["type": "object", "properties": .object((tag.map { [$0] } ?? []) + properties)]
        if let tag, isTagRequired { schema.set("required", [.string(tag.0)]) }
        schema.set("additionalProperties", false)
        return schema
    }

    private static func property(_ field: ConfigurationFieldShape) -> JSONNode {
        var schema: JSONNode = ["description": .string(field.documentation)]
        switch field.shape {
        case .leaf, .list: schema.set("default", field.defaultValue)
        case .section, .union, .nullable: break
        }
        for member in field.shape.schema.objectMembers ?? [] { schema.set(member.key, member.value) }
        return schema
    }
}
