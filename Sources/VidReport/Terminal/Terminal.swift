import VidSystem

/// Standard error, for progress, notes and errors, and standard output, for results.
package enum Terminal {
    /// Whether a bar can be drawn on standard error: it is a terminal that can move its cursor.
    package static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }

    /// Whether to colour standard error: it is a terminal, and NO_COLOR is not set (no-color.org).
    package static var usesColor: Bool { isInteractive && !refusesColor }

    /// The terminal's columns; 80 if it does not tell.
    package static var width: Int { columns(of: STDERR_FILENO) ?? 80 }

    /// The text with its lines broken to the terminal's width; unchanged if standard error is no terminal.
    package static func fitted(_ text: String) -> String { isInteractive ? Formatting.wrapped(text, columns: width - 1) : text }

    /// The text with a newline at its end, its lines broken to `columns`, by default to the width of text on standard output.
    package static func paragraph(_ text: String, indent: Int, columns: Int = OutputStyle.textColumns) -> String {
        Formatting.wrapped(text, columns: columns, indent: indent) + "\n"
    }

    /// Writes to standard error unchanged: for the bar and for colours. Names in the text must be `printable`.
    package static func draw(_ text: String) { _ = write(text, to: STDERR_FILENO) }

    /// Writes the whole text to standard error without characters that could control the terminal, so that every name is safe.
    // guard: printable-terminal, without: text.printableLines -> text
    package static func write(_ text: String) { draw(text.printableLines) }

    /// Writes a line to standard error, as `write` does.
    package static func note(_ line: String) { write(line + "\n") }

    /// Writes a result to standard output, at once and unbuffered.
    ///
    /// - Returns: false if the reader has closed its end (`| head`), so that more results are of no use.
    /// - Throws: `.inputOutput` if a part of it could not be written. A reader that closed its end is not an error.
    @discardableResult
    package static func output(_ text: String) throws -> Bool {
        let code = write(text, to: STDOUT_FILENO)
        guard code == 0 || code == EPIPE else {
            throw VidclassError(.inputOutput, "standard output cannot be written: \(SystemCall.reason(code))")
        }
        return code == 0
    }

    /// Returns 0, or the error's number.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        Array(text.utf8).withUnsafeBytes { SystemCall.write($0, toStream: descriptor) }
    }

    fileprivate static var isDumb: Bool { getenv("TERM").map { String(cString: $0) } == "dumb" }
    fileprivate static var refusesColor: Bool { getenv("NO_COLOR").map { $0.pointee != 0 } ?? false }

    fileprivate static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : nil
    }
}

/// The width and the colours that results on standard output may use.
package struct OutputStyle: Sendable {
    /// The columns to keep within; nil without a terminal, where lines may have any length.
    package let columns: Int?
    package let usesColor: Bool

    package init(columns: Int?, usesColor: Bool) {
        self.columns = columns
        self.usesColor = usesColor
    }

    /// For files and pipes: nothing is shortened or coloured.
    package static let plain = OutputStyle(columns: nil, usesColor: false)

    /// The style of standard output, whatever standard error is.
    package static var standardOutput: OutputStyle {
        guard isatty(STDOUT_FILENO) == 1 else { return .plain }
        return OutputStyle(
            columns: Terminal.columns(of: STDOUT_FILENO).map { max(20, $0) } ?? 80, usesColor: !Terminal.isDumb && !Terminal.refusesColor)
    }

    /// The width of running text on standard output: the terminal's, but at most 80 columns, which are easy to read.
    package static var textColumns: Int { min(80, standardOutput.columns ?? 80) }

    package enum Ink: String, Sendable {
        case bold = "1"
        case dim = "2"
        case green = "32"
        case yellow = "33"
        case red = "31"
        case cyan = "36"
    }

    /// The text in a colour, if colours are used.
    package func paint(_ text: String, _ ink: Ink) -> String {
        usesColor && !text.isEmpty ? "\u{1B}[\(ink.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// The text, shortened in its middle if it does not fit behind `indent` columns.
    package func fitted(_ text: String, indent: Int = 0) -> String {
        columns.map { text.shortened(toColumns: max(1, $0 - indent)) } ?? text
    }
}
