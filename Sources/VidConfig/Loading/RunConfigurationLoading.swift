import VidSystem

extension RunConfiguration {
    /// The largest file that is read, in bytes.
    static let maximumFileSize = 1 << 20

    /// The configuration in the file at `path`, `overrides` (`KEY=VALUE`) put in, every other value at its default.
    package static func load(path: String, overrides: [String] = []) throws -> RunConfiguration {
        try RunConfiguration(json: RegularFile.contents(path, limit: maximumFileSize), source: path, overrides: overrides)
    }

    /// The configuration in a JSON text; `source` stands for it in errors.
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

    /// The configuration in a parsed tree whose positions have the source 0.
    package init(_ tree: JSONNode, source: String, overrides: [String] = []) throws(VidclassError) {
        var tree = tree
        if case .object(let members) = tree.value {
            tree.value = .object(members.filter { !Self.isPassedOver($0) })
        }
        let defaults = RunConfiguration().json
        for (index, text) in overrides.enumerated() {
            let override = try ConfigurationOverride(text, source: index + 1)
            do {
                // A tree that is no object at all is refused below, not replaced.
                if tree.objectMembers != nil { try override.apply(to: &tree, defaults: defaults) }
            } catch {
                throw VidclassError(source: "--set \(text)", keyPath: error.path.description, message: error.message)
            }
        }
        do {
            self = try Self.codec.decode(tree, ConfigurationPath())
            try check()
        } catch {
            throw VidclassError(error.withOtherPlaces, in: tree, source: source, overrides: overrides)
        }
    }

    /// Whether a member at the top is for editors or people only.
    private static func isPassedOver(_ member: JSONMember) -> Bool {
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
    /// An error about a configuration: `runs/a.json:3:14: training.epochs: expected an integer from 1 to 1000000, found 0`.
    ///
    /// - Parameters:
    ///   - source: the file, or the override as `--set KEY=VALUE`.
    ///   - line, column: counted from 1; nil for an override, a default, or the file as a whole.
    ///   - keyPath: the key's path; empty where the error isn't about one value.
    init(
        _ kind: Kind = .badData, source: String, line: Int? = nil, column: Int? = nil, keyPath: String = "", message: String
    ) {
        let place = ([source] + [line, line == nil ? nil : column].compactMap { $0.map(String.init) }).joined(separator: ":")
        self.init(kind, "\(place): \(keyPath.isEmpty ? "" : keyPath + ": ")\(message)".printable)
    }

    /// Looks up where the fault lies: in the file at a line, or in an override.
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
    /// The fault with the paths, if it is about an unknown key, where such a key exists.
    fileprivate var withOtherPlaces: ConfigurationFault {
        guard let knownKeys, case .key(let key) = path.components.last else { return self }
        return unknownKey(
            key, among: knownKeys, elsewhere: ConfigurationReference.keyPaths.filter { $0.hasSuffix(".\(key)") },
            ConfigurationPath(path.components.dropLast()))
    }
}

extension JSONNode {
    /// The place of the value or key the fault is about, or of the nearest that encloses it when it is a default.
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
