import VidSystem

/// An error in a configuration value, before its position in the file is known.
package struct ConfigurationFault: Error, Sendable, Equatable {
    package var path: ConfigurationPath
    package var message: String
    /// Whether the key is wrong, not its value.
    package var isAboutKey = false
    /// For an unknown key: the keys that its object has.
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

    /// Keys only.
    package init(_ keys: String...) {
        components = keys.map { .key($0) }
    }

    func appending(_ key: String) -> ConfigurationPath { ConfigurationPath(components + [.key(key)]) }

    func appending(_ index: Int) -> ConfigurationPath { ConfigurationPath(components + [.index(index)]) }

    /// As `--set` takes it; keys of more than 60 characters are cut.
    package var description: String {
        components.map { component in
            switch component {
            case .key(let key): key.shortened
            case .index(let index): String(index)
            }
        }.joined(separator: ".")
    }
}
