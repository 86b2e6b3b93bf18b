/// What is wrong with a configuration, where, and what was expected.
package struct ConfigError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The families of failure; the raw value is the process's exit code.
    package enum Kind: Int32, Sendable {
        /// An override that is not `KEY=VALUE`.
        case usage = 64
        case badConfig = 65
        case missingFile = 66
        case inputOutput = 74
    }

    package var kind: Kind
    /// The file, or the override as `--set KEY=VALUE`.
    package var source: String
    /// From 1; nil for an override, a default, or the file as a whole.
    package var line: Int?
    package var column: Int?
    /// Such as `training.epochs`; empty when the fault is not in one value.
    package var keyPath: String
    package var message: String

    package init(_ kind: Kind = .badConfig, source: String, line: Int? = nil, column: Int? = nil, keyPath: String = "", message: String) {
        self.kind = kind
        self.source = source
        self.line = line
        self.column = column
        self.keyPath = keyPath
        self.message = message
    }

    /// `runs/a.json:3:14: training.epochs: expected an integer from 1 to 1000000, found 0`; one line, whatever the names hold.
    package var description: String {
        var place = source
        if let line { place += ":\(line)" }
        if line != nil, let column { place += ":\(column)" }
        return "\(place): \(keyPath.isEmpty ? "" : keyPath + ": ")\(message)".onOneLine
    }
}

extension String {
    /// Control characters and line separators as escapes, so that a hostile name can neither break the line nor steer a terminal.
    fileprivate var onOneLine: String {
        var line = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: line += scalar.escaped(asASCII: true)
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
