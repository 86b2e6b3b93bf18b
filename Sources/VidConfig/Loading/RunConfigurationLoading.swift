import VidSystem

extension RunConfiguration {
    /// The largest file that is read, in bytes.
    static let maximumFileSize = 1 << 20

    /// The configuration in the file at `path` after applying `overrides` (`KEY=VALUE`); other values have their defaults. `-`,
    /// `/dev/stdin` and `/dev/fd/N` stand for open streams (`PipedInput`).
    package static func load(path: String, overrides: [String] = []) throws -> RunConfiguration {
        guard let piped = PipedInput(path) else {
            return try RunConfiguration(json: RegularFile.contents(path, limit: maximumFileSize), source: path, overrides: overrides)
        }
        guard !piped.isTerminal else {
            throw VidclassError(
                .usage,
                "\(piped.name) is a terminal; expected a configuration from a file or pipe, as in `command | vidclass ... \(path.printable)`"
            )
        }
        return try RunConfiguration(json: piped.contents(limit: maximumFileSize), source: piped.name, overrides: overrides)
    }

    /// The configuration in a JSON text that errors call `source`.
    package init(json: String, source: String, overrides: [String] = []) throws(VidclassError) {
        try self.init(json: Array(json.utf8), source: source, overrides: overrides)
    }

    package init(json: [UInt8], source: String, overrides: [String] = []) throws(VidclassError) {
        let tree: JSONNode
        do {
            tree = try JSONParser.parse(json)
        } catch {
            throw VidclassError(source: source, line: error.position.line, column: error.position.column, message: error.message)
        }
        try self.init(tree, source: source, overrides: overrides)
    }

    /// The configuration in a parsed tree, whose positions have the source 0.
    package init(_ tree: JSONNode, source: String, overrides: [String] = []) throws(VidclassError) {
        var tree = tree
        if case .object(let members) = tree.value {
            tree.value = .object(members.filter { !Self.isIgnored($0) })
        }
        let defaults = RunConfiguration().json
        for (index, text) in overrides.enumerated() {
            let override = try ConfigurationOverride(text, source: index + 1)
            do {
                // A tree that is not an object is refused below; an override must not replace it.
                if tree.objectMembers != nil { try override.apply(to: &tree, defaults: defaults) }
            } catch {
                throw VidclassError(source: "--set \(text)", keyPath: error.path.description, message: error.message)
            }
        }
        do {
            self = try Self.codec.decode(tree, ConfigurationPath())
            // The default is for pixels.
            let namesPreprocessing = tree["data"]?["preprocessing"] != nil
            if model.input.features != nil, !namesPreprocessing { data.preprocessing = .none }
            try check()
        } catch {
            throw VidclassError(error.withOtherPlaces, in: tree, source: source, overrides: overrides)
        }
    }

    /// Whether a top-level member is only for editors or people.
    private static func isIgnored(_ member: JSONMember) -> Bool {
        switch member.key {
        case schemaKey: member.value.stringValue != nil
        case commentKey: (member.value.arrayElements ?? [member.value]).allSatisfy { $0.stringValue != nil }
        default: false
        }
    }

    /// The resolved configuration as the text of a config file.
    package var text: String { json.text(pretty: true) + "\n" }
}

extension VidclassError {
    /// An error about `fault` with its position: a line of the file, or an override.
    fileprivate init(_ fault: ConfigurationFault, in tree: JSONNode, source: String, overrides: [String]) {
        let position = tree.position(of: fault)
        let keyPath = fault.path.description
        if position.source > 0 {
            self.init(source: "--set \(overrides[position.source - 1])", keyPath: keyPath, message: fault.message)
        } else if position.source < 0 {
            self.init(source: source, keyPath: keyPath, message: fault.message)
        } else {
            self.init(source: source, line: position.line, column: position.column, keyPath: keyPath, message: fault.message)
        }
    }
}

extension ConfigurationFault {
    /// For an unknown key, the same fault with the paths at which such a key exists.
    fileprivate var withOtherPlaces: ConfigurationFault {
        guard let knownKeys, case .key(let key) = path.components.last else { return self }
        return unknownKey(
            key, among: knownKeys, elsewhere: ConfigurationReference.keyPaths.filter { $0.hasSuffix(".\(key)") },
            ConfigurationPath(path.components.dropLast()))
    }
}

extension JSONNode {
    /// The position of the key or value that the fault is about, or, for a default, of the nearest value around it.
    fileprivate func position(of fault: ConfigurationFault) -> JSONPosition {
        var node = self
        for (depth, component) in fault.path.components.enumerated() {
            let isLast = depth + 1 == fault.path.components.count
            switch component {
            case .key(let key):
                guard let member = node.objectMembers?.first(where: { $0.key.hasSameBytes(as: key) }) else { return node.position }
                if isLast, fault.isAboutKey { return member.keyPosition }
                node = member.value
            case .index(let index):
                guard let elements = node.arrayElements, elements.indices.contains(index) else { return node.position }
                node = elements[index]
            }
        }
        return node.position
    }
}
