import VidSystem
import VidTensor

/// Text made fit for HTML and SVG.
package enum Markup {
    /// Any text as the content of an element or of a quoted attribute: on one line, without control characters, turns of the
    /// reading direction, and what XML does not allow, with `& < > " '` written as references.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.printable.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default:
                // Noncharacters, which neither language allows.
                let isAllowed = scalar.value & 0xFFFE != 0xFFFE && !(0xFDD0...0xFDEF).contains(scalar.value)
                result.unicodeScalars.append(isAllowed ? scalar : "\u{FFFD}")
            }
        }
        return result
    }

    /// A user's name as part of a sentence, kept apart from it where it is written from right to left.
    package static func name(_ text: String) -> String { "<bdi>\(escaped(text))</bdi>" }

    /// A file's path as part of a sentence: its folders stay in their order whatever direction their names are written in.
    package static func path(_ text: String) -> String { "<bdi dir=\"ltr\">\(escaped(text))</bdi>" }

    /// At most `length` characters, with dots in the place of the others' middle.
    package static func shortened(_ text: String, _ length: Int) -> String {
        let text = text.printable
        guard text.count > length, length >= 5 else { return text }
        let head = (length - 1) * 2 / 3
        return text.prefix(head) + "\u{2026}" + text.suffix(length - 1 - head)
    }

    /// A coordinate or number of a picture: at most two decimals.
    package static func number(_ value: Double) -> String {
        var text = Formatting.fixed(value, 2)
        if text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return text
    }
}

/// A number in a report: what is read, and beside it the exact value under a name, for programs.
///
///     <data data-name="accuracy" value="0.9583333333333334">95.8 %</data>
package struct Figure: Sendable {
    package let name: String
    package let value: Double
    package let text: String

    /// 0.958 as "95.8 %".
    package static func percent(_ name: String, _ value: Double) -> Figure {
        Figure(name: name, value: value, text: Formatting.fixed(value * 100, 1) + "\u{A0}%")
    }

    /// 0.958 as "95.8": where the sign stands elsewhere.
    package static func hundredths(_ name: String, _ value: Double) -> Figure {
        Figure(name: name, value: value, text: Formatting.fixed(value * 100, 1))
    }

    package static func fixed(_ name: String, _ value: Double, _ digits: Int = 3) -> Figure {
        Figure(name: name, value: value, text: Formatting.fixed(value, digits))
    }

    package static func count(_ name: String, _ value: Int) -> Figure {
        Figure(name: name, value: Double(value), text: Formatting.grouped(value))
    }

    package var html: String {
        let exact = value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        return "<data data-name=\"\(name)\" value=\"\(exact)\">\(text)</data>"
    }
}
