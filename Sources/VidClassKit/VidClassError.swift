public import FoundationEssentials
internal import VidSystem

/// An error of this library. It says what was expected, what was found, where, and what to do.
///
/// The words are those of the program `vidclass`: a message may advise a setting as `--set data.short_clips=loop`, which is
/// `configuration.setting("data.short_clips", to: "loop")` here. Tasks that are cancelled throw `CancellationError` instead.
public struct VidClassError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A kind of failure. The raw values are the program's exit codes and those of `vidclass.h`. A later minor version may add
    /// kinds.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        /// None of the others. Memory that runs out is among these.
        public static let other = Code(rawValue: 1)
        /// An argument is wrong.
        public static let usage = Code(rawValue: 64)
        /// Data, a configuration or a checkpoint is bad, or does not fit into memory.
        public static let badData = Code(rawValue: 65)
        /// An input is missing.
        public static let missingInput = Code(rawValue: 66)
        /// A loss or gradient is not finite.
        public static let nonFinite = Code(rawValue: 70)
        /// Reading or writing failed.
        public static let inputOutput = Code(rawValue: 74)
        /// Another process uses the run's folder.
        public static let busy = Code(rawValue: 75)
    }

    public let code: Code
    /// One line, often with a file name and a position.
    public let message: String
    /// Further advice, line by line. It is often empty.
    public let advice: [String]

    /// - Parameters:
    ///   - code: the kind of failure.
    ///   - message: one line.
    ///   - advice: lines below it.
    public init(_ code: Code, _ message: String, advice: [String] = []) {
        self.code = code
        self.message = message
        self.advice = advice
    }

    /// The message without the advice.
    public var description: String { message }
}

extension VidClassError: LocalizedError {
    public var errorDescription: String? { message }
    public var recoverySuggestion: String? { advice.isEmpty ? nil : advice.joined(separator: "\n") }
}

extension VidClassError {
    /// The public form of an error from below. A cancellation stays what it is.
    static func publicForm(of error: any Error) -> any Error {
        switch error {
        case is CancellationError, is VidClassError: error
        case let error as VidclassError:
            VidClassError(Code(rawValue: Int(error.kind.rawValue)), error.message.printable, advice: error.advice.map(\.printable))
        default: VidClassError(.other, "\(error)".printable)
        }
    }

    /// Runs `body` with its errors in their public form.
    static func translating<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch { throw publicForm(of: error) }
    }

    /// Runs `body` with its errors in their public form.
    nonisolated(nonsending) static func translating<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        do { return try await body() } catch { throw publicForm(of: error) }
    }
}
