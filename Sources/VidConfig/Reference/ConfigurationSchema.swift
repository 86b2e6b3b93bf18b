import VidSystem

/// Describes the configuration for editors, as a JSON Schema made from the tables that read the file.
package enum ConfigurationSchema {
    /// The schema (draft 2020-12). Rules that involve several keys, for example that the splits sum to less than one, are not in it;
    /// `RunConfiguration` checks them when it reads a file.
    package static var json: JSONNode {
        var schema: JSONNode = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "vidclass run configuration",
        ]
        for member in node(RunConfiguration.codec.shape).objectMembers ?? [] { schema.set(member.key, member.value) }
        if var properties = schema["properties"] {
            properties.set(
                RunConfiguration.schemaKey, ["type": "string", "description": "The schema that an editor checks the file against."])
            properties.set(
                RunConfiguration.commentKey,
                [
                    "anyOf": [["type": "string"], ["type": "array", "items": ["type": "string"]]],
                    "description": "Remarks for people; ignored.",
                ])
            schema.set("properties", properties)
        }
        return schema
    }

    private static func node(_ shape: ConfigurationShape) -> JSONNode {
        switch shape {
        case .leaf(let schema, _): return schema
        case .list(let element, _): return ["type": "array", "maxItems": .integer(ConfigurationShape.longestList), "items": node(element)]
        case .section(let fields): return object(fields)
        case .union(let tag, let defaultWord, let variants):
            return [
                "anyOf": .array(
                    variants.map { variant in
                        let word: JSONNode = ["const": .string(variant.word), "description": .string(variant.documentation)]
                        return object(variant.fields, tag: (tag, word), isTagRequired: variant.word != defaultWord)
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
        case .section, .union: break
        }
        for member in node(field.shape).objectMembers ?? [] { schema.set(member.key, member.value) }
        return schema
    }
}
