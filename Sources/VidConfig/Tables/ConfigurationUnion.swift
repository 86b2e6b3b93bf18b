import VidSystem

/// One form of a tagged object: its keys and its initial value.
struct ConfigurationVariant<Value: Sendable>: Sendable {
    let word: String
    let documentation: String
    let initial: Value
    let fields: [ConfigurationField<Value>]

    var keys: [String] { fields.map(\.key) }

    init(_ word: String, _ documentation: String, initial: Value, fields: [ConfigurationField<Value>]) {
        self.word = word
        self.documentation = documentation
        self.initial = initial
        self.fields = fields
    }

    /// The keys of a section that an enumeration's case wraps.
    init<Section: ConfigurationSection>(
        _ word: String, _ documentation: String, wrap: @escaping @Sendable (Section) -> Value,
        unwrap: @escaping @Sendable (Value) -> Section?
    ) {
        self.init(
            word, documentation, initial: wrap(Section()),
            fields: Section.fields.map { $0.lifted(into: wrap) { unwrap($0) ?? Section() } })
    }
}

extension ConfigurationCodec {
    /// An object whose keys depend on the word at `tag`; a missing tag means `defaultWord`, or is an error if there is none.
    ///
    /// When an override sets the tag, keys that the file gave for the old word are ignored: with
    /// `--set optimizer.type=sgd`, a file's `beta_1` no longer applies.
    static func union(
        tag: String, defaultWord: String? = nil, variants: [ConfigurationVariant<Value>], word: @escaping @Sendable (Value) -> String
    ) -> Self {
        let words = variants.map(\.word)
        let shapes = variants.map { variant in
            ConfigurationVariantShape(
                word: variant.word, documentation: variant.documentation, fields: variant.fields.map { $0.shape(of: variant.initial) })
        }
        return Self(.union(tag: tag, defaultWord: defaultWord, variants: shapes)) { node, path throws(ConfigurationFault) in
            guard let members = node.objectMembers else { throw .mismatch(path, expected: "an object", found: node) }
            let tagNode = node[tag]
            guard let wordNode = tagNode ?? defaultWord.map({ .string($0) }) else {
                throw ConfigurationFault(path, "the key \"\(tag)\" is missing; it takes one of \(quotedList(words))")
            }
            guard let variant = variants.first(where: { wordNode.stringValue?.hasSameBytes(as: $0.word) == true }) else {
                throw unknownWord(wordNode, among: words, path.appending(tag))
            }
            var value = variant.initial
            for member in members where member.key != tag {
                if let field = variant.fields.first(where: { $0.key.hasSameBytes(as: member.key) }) {
                    try field.decode(member.value, path.appending(member.key), &value)
                    continue
                }
                let owners = variants.filter { $0.keys.contains(member.key) }.map(\.word)
                if owners.isEmpty { throw unknownKey(member.key, among: [tag] + variant.keys, path) }
                let isLeftOver = (tagNode?.position.source ?? 0) > 0 && member.keyPosition.source <= 0
                if !isLeftOver {
                    throw ConfigurationFault(
                        path.appending(member.key),
                        "does not belong to \"\(variant.word)\", only to \(quotedList(owners))."
                            + " The keys of \"\(variant.word)\" are \(([tag] + variant.keys).joined(separator: ", "))",
                        isAboutKey: true)
                }
            }
            return value
        } encode: { value in
            let name = word(value)
            guard let variant = variants.first(where: { $0.word == name }) else {
                preconditionFailure("\(name) is none of \(words)")
            }
            return .object([(tag, .string(name))] + variant.fields.map { ($0.key, $0.encode(value)) })
        }
    }
}
