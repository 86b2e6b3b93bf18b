import ArgumentParser
import VidReport
import VidSystem

/// The inputs of a command that failed while it went on with the others. Each is reported on standard error at once.
struct InputFailures {
    private var kinds: [VidclassError.Kind] = []

    mutating func add(_ error: VidclassError) {
        Terminal.note(Terminal.fitted("vidclass: error: " + error.message.printable))
        kinds.append(error.kind)
    }

    /// Ends the command if an input failed: with the code of the failures if all inputs failed in the same way, otherwise with 65.
    ///
    /// - Parameters:
    ///   - inputs: the number of inputs, with those that succeeded.
    ///   - what: what happened to them: "could not be explained".
    func finish(of inputs: Int, _ what: String) throws {
        guard !kinds.isEmpty else { return }
        if inputs > 1 { Terminal.note(Terminal.fitted("\(kinds.count) of \(inputs) inputs \(what)")) }
        throw ExitCode(VidclassError.Kind.common(kinds, succeeded: inputs - kinds.count).rawValue)
    }
}
