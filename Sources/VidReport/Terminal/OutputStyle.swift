import VidSystem

/// How results look on standard output.
package struct OutputStyle: Sendable {
    /// Columns to keep within; nil where there is no terminal, and lines may be as long as they are.
    package let columns: Int?
    package let usesColor: Bool

    package init(columns: Int?, usesColor: Bool) {
        self.columns = columns
        self.usesColor = usesColor
    }

    /// Nothing is cut, nothing is coloured: for files and pipes.
    package static let plain = OutputStyle(columns: nil, usesColor: false)

    /// What standard output is, by itself: standard error may be another place. Colours only on a terminal, and not with
    /// NO_COLOR (no-color.org).
    package static var standardOutput: OutputStyle {
        guard isatty(STDOUT_FILENO) == 1 else { return .plain }
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let isDumb = getenv("TERM").map { String(cString: $0) } == "dumb"
        let isRefused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        return OutputStyle(columns: isKnown ? max(20, Int(size.ws_col)) : 80, usesColor: !isDumb && !isRefused)
    }

    /// Columns for running text on standard output: those of a terminal, at most 80, which are read with ease.
    package static var textColumns: Int { min(80, standardOutput.columns ?? 80) }

    package enum Ink: String, Sendable {
        case bold = "1"
        case dim = "2"
        case green = "32"
        case yellow = "33"
        case red = "31"
        case cyan = "36"
    }

    /// The text in a colour, where there are colours.
    package func paint(_ text: String, _ ink: Ink) -> String {
        usesColor && !text.isEmpty ? "\u{1B}[\(ink.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// The text, its middle left out where it does not fit behind `indent` columns.
    package func fitted(_ text: String, indent: Int = 0) -> String {
        columns.map { text.shortened(toColumns: max(1, $0 - indent)) } ?? text
    }
}
