import VidSystem

/// An error in a configuration value whose position in the file is not yet known.
package struct ConfigurationFault: Error, Sendable, Equatable {
    package var path: ConfigurationPath
    package var message: String
    /// Whether the key is wrong rather than its value.
    package var isAboutKey = false
    /// The keys that the object has, if the error is an unknown key.
    var knownKeys: [String]?

    package init(_ path: ConfigurationPath, _ message: String, isAboutKey: Bool = false) {
        self.init(path, message, isAboutKey: isAboutKey, knownKeys: nil)
    }

    init(_ path: ConfigurationPath, _ message: String, isAboutKey: Bool, knownKeys: [String]?) {
        self.path = path
        self.message = message
        self.isAboutKey = isAboutKey
        self.knownKeys = knownKeys
    }

    /// The value at `path` is not of the expected kind.
    static func mismatch(_ path: ConfigurationPath, expected: String, found node: JSONNode, hint: String = "") -> ConfigurationFault {
        ConfigurationFault(path, "expected \(expected), found \(node.brief)\(hint)")
    }
}

/// The path from the top of a configuration to a value: `model.recurrent.0.units`.
package struct ConfigurationPath: Sendable, Hashable, CustomStringConvertible {
    package enum Component: Sendable, Hashable {
        case key(String)
        case index(Int)
    }

    package var components: [Component] = []

    package init(_ components: [Component] = []) {
        self.components = components
    }

    /// A path of keys.
    package init(_ keys: String...) {
        components = keys.map { .key($0) }
    }

    func appending(_ key: String) -> ConfigurationPath { ConfigurationPath(components + [.key(key)]) }

    func appending(_ index: Int) -> ConfigurationPath { ConfigurationPath(components + [.index(index)]) }

    /// The path as in `--set`; keys of more than 60 characters are cut.
    package var description: String {
        components.map { component in
            switch component {
            case .key(let key): key.shortened
            case .index(let index): String(index)
            }
        }.joined(separator: ".")
    }
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
}
