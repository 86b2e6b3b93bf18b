import VidSystem
import VidTensor

/// Standard error: where progress, notes and errors go. Results go to standard output.
package enum Terminal {
    /// Whether standard error is a terminal that a bar can be drawn on.
    package static var isInteractive: Bool {
        isatty(STDERR_FILENO) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"
    }

    /// Whether to colour standard error: a terminal, and NO_COLOR not set (no-color.org).
    package static var usesColor: Bool { isInteractive && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true) }

    /// Columns of the terminal, 80 where it does not say.
    package static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// The text with its lines broken where the terminal is too narrow for them; as it is where there is none.
    package static func fitted(_ text: String) -> String { isInteractive ? Formatting.wrapped(text, columns: width - 1) : text }

    /// Writes to standard error as it is: for a bar and for colours, and only of what holds no names but as `printable`.
    package static func draw(_ text: String) { _ = write(text, to: STDERR_FILENO) }

    /// Writes to standard error, all of it, without a newline of its own, and without what could steer the terminal: no name,
    /// wherever it comes from, gets further.
    package static func write(_ text: String) { draw(text.printableLines) }

    /// Writes a line to standard error, as `write` does.
    package static func note(_ line: String) { write(line + "\n") }

    /// Writes a result to standard output.
    ///
    /// - Throws: `.inputOutput` where not all of it could be written; a reader that has seen enough and closed its end is none.
    package static func output(_ text: String) throws {
        let code = write(text, to: STDOUT_FILENO)
        guard code == 0 || code == EPIPE else {
            throw VidclassError(.inputOutput, "standard output cannot be written: \(SystemCall.reason(code))")
        }
    }

    /// Returns 0, or what went wrong.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        Array(text.utf8).withUnsafeBytes { SystemCall.write($0, toStream: descriptor) }
    }
}
