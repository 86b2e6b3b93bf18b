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
        for member in RunConfiguration.codec.shape.schema.objectMembers ?? [] { schema.set(member.key, member.value) }
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
}
