import VidSystem

/// Text for HTML and SVG.
package enum Markup {
    /// Any text as the content of an element or of a quoted attribute: on one line, without control characters, changes of the reading
    /// direction and characters that XML forbids, with `& < > " '` as references.
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
                // Neither language allows noncharacters.
                let isAllowed = scalar.value & 0xFFFE != 0xFFFE && !(0xFDD0...0xFDEF).contains(scalar.value)
                result.unicodeScalars.append(isAllowed ? scalar : "\u{FFFD}")
            }
        }
        return result
    }

    /// A user's name in a sentence; a name that is written from right to left does not reorder the sentence.
    package static func name(_ text: String) -> String { "<bdi>\(escaped(text))</bdi>" }

    /// A user's name in quotation marks, in a sentence that could be misread without them.
    static func quoted(_ text: String) -> String { "\u{201C}\(name(text))\u{201D}" }

    /// A file's path in a sentence; its folders keep their order whatever direction their names are written in.
    package static func path(_ text: String) -> String { "<bdi dir=\"ltr\">\(escaped(text))</bdi>" }

    /// A coordinate of a picture, with at most two decimals.
    package static func number(_ value: Double) -> String {
        var text = Formatting.fixed(value, 2)
        if text.contains(".") {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        }
        return text
    }
}

/// A number in a report: a rounded text for people and the exact value under a name for programs.
///
///     <data data-name="accuracy" value="0.9583333333333334">95.8 %</data>
enum DataElement {
    /// 0.958 as "95.8 %".
    static func percent(_ name: String, _ value: Double) -> String {
        html(name, value, Formatting.fixed(value * 100, 1) + "\u{A0}%")
    }

    /// 0.958 as "95.8", for a range whose end has the sign.
    static func hundredths(_ name: String, _ value: Double) -> String { html(name, value, Formatting.fixed(value * 100, 1)) }

    static func fixed(_ name: String, _ value: Double, _ digits: Int = 3) -> String {
        html(name, value, Formatting.fixed(value, digits))
    }

    /// "0.12 to 0.31".
    static func fixed(_ name: String, _ interval: Interval, _ digits: Int = 3) -> String {
        fixed(name + ".low", interval.low, digits) + " to " + fixed(name + ".high", interval.high, digits)
    }

    static func count(_ name: String, _ value: Int) -> String { html(name, Double(value), Formatting.grouped(value)) }

    private static func html(_ name: String, _ value: Double, _ text: String) -> String {
        let exact = value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        return "<data data-name=\"\(name)\" value=\"\(exact)\">\(text)</data>"
    }
}
