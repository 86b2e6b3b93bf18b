/// An error a user can act on: what was expected, what was found, where, and what to do.
///
/// `kind` decides the process's exit code; `message` is one line (it may hold a file name and a place in it).
package struct VidclassError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The families of failure, one per documented exit code.
    package enum Kind: Int32, Sendable {
        case other = 1
        /// Wrong usage of the command line.
        case usage = 64
        /// Bad data, config or checkpoint.
        case badData = 65
        /// An input that should be there is not.
        case missingInput = 66
        /// Training produced a loss or gradient that is not finite.
        case nonFinite = 70
        /// Reading or writing failed.
        case inputOutput = 74
        /// Another process holds the run's folder.
        case busy = 75
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// A complaint about the file or folder at `path`, whose name is made fit for one line; most are about its content.
    package static func file(_ path: String, _ message: String, kind: Kind = .badData) -> VidclassError {
        VidclassError(kind, "\(path.printable): \(message)")
    }

    package var description: String { message }
}
