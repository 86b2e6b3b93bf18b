import VidSystem

/// What a configuration value may look like: the source of the schema and of the reference table.
package indirect enum ConfigurationShape: Sendable {
    /// A value described by JSON Schema keywords and, in words, by a summary such as `an integer from 1 to 64`.
    case leaf(schema: JSONNode, summary: String)
    /// An object with these keys.
    case section([ConfigurationFieldShape])
    /// An object whose keys depend on the word at the key `tag`; a missing tag means `defaultWord`.
    case union(tag: String, defaultWord: String?, variants: [ConfigurationVariantShape])
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
