/// An error that a user can act on: it says what was expected, what was found, where, and what to do.
///
/// `kind` determines the exit code; `message` is one line, often with a file name and a position, and `advice` the lines below it.
package struct VidclassError: Error, Codable, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure, one for each documented exit code.
    package enum Kind: Int32, Codable, Sendable {
        case other = 1
        /// Wrong usage of the command line.
        case usage = 64
        /// Bad data, config or checkpoint.
        case badData = 65
        /// An input is missing.
        case missingInput = 66
        /// A loss or gradient is not finite.
        case nonFinite = 70
        /// Reading or writing failed.
        case inputOutput = 74
        /// Another process uses the run's folder or the file.
        case busy = 75

        /// The kind of a command's failure on some of its inputs: their own if all inputs failed in the same way, otherwise `.badData`.
        package static func common(_ failures: [Kind], succeeded: Int) -> Kind {
            guard let first = failures.first, succeeded == 0, failures.allSatisfy({ $0 == first }) else { return .badData }
            return first
        }
    }

    package var kind: Kind
    package var message: String
    /// Advice that is too long for the message's line: sentences, each followed by its commands and examples, which are indented.
    package var advice: [String]

    package init(_ kind: Kind, _ message: String, advice: [String] = []) {
        self.kind = kind
        self.message = message
        self.advice = advice
    }

    /// An error about the file or folder at `path`, by default about its content.
    package static func file(_ path: String, _ message: String, kind: Kind = .badData, advice: [String] = []) -> VidclassError {
        VidclassError(kind, "\(path.printable): \(message)", advice: advice)
    }

    package var description: String { message }
}
