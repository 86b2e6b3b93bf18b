@_spi(_Unicode) import Swift
import VidSystem

/// How labels are spelt and compared: without spaces around them, and in Unicode's normalization form C.
enum LabelSpelling {
    /// The label without spaces and invisible characters around it, in form C: `"dog "`, `"dog\u{A0}"` and `"dog"` are one label.
    ///
    /// The standard library's form C is the one with which it compares strings. Foundation's would bring 40 MB of ICU into the program.
    static func cleaned(_ label: String) -> String {
        let text = label.trimmed(of: isBlank)
        return text.utf8.allSatisfy { $0 < 0x80 } ? text : String(String.UnicodeScalarView(text._nfc))
    }

    /// A space of any kind, or a character without any width.
    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xAD, 0x180E, 0x200B...0x200F, 0x2060, 0xFEFF: true
        default: scalar.properties.isWhitespace
        }
    }

    /// Equal for labels that differ only in case and in the spaces, `_` and `-` between their letters: `guide dog`, `Guide_dog`. Between
    /// two digits a separator counts: `1-2` is not `12`.
    private static func key(_ label: String) -> String {
        var key = String.UnicodeScalarView()
        var isSeparated = false
        for scalar in label.lowercased().unicodeScalars {
            if isBlank(scalar) || ((scalar == "_" || scalar == "-") && !key.isEmpty) {
                isSeparated = true
                continue
            }
            if isSeparated, let last = key.last, last.properties.numericType != nil, scalar.properties.numericType != nil {
                key.append(" ")
            }
            isSeparated = false
            key.append(scalar)
        }
        return String(key)
    }

    /// A note for each set of labels that look like spellings of one.
    ///
    /// - Parameters:
    ///   - counts: the number of clips of each label.
    ///   - folder: the folder of the class folders; nil if the labels are in a table or in folders of splits.
    static func notes(_ counts: [String: Int], folder: String?) -> [String] {
        let alike = Dictionary(grouping: counts.keys, by: key).values.filter { $0.count > 1 }
        // The spelling to keep comes first: one that can be typed, and of these the most common.
        func rank(_ label: String) -> (Int, Int, String) { (visible(label) == label ? 0 : 1, -(counts[label] ?? 0), label) }
        return alike.map { $0.sorted { rank($0) < rank($1) } }
            .sorted { PathText.precedes($0[0], $1[0]) }
            .map { labels in
                let list = labels.map { "\"\(visible($0))\" (\(counts[$0] ?? 0) \(counts[$0] == 1 ? "clip" : "clips"))" }
                let others = labels.dropFirst()
                let remedy =
                    folder.map { folder in
                        "move the clips of \(others.map { PathText.join(folder, $0).printable }.joined(separator: " and ")) into "
                            + PathText.join(folder, labels[0]).printable
                    } ?? "write \"\(visible(labels[0]))\" for \(labels.count == 2 ? "both" : "all")"
                return "the labels \(list.joined(separator: " and ")) differ only in case or spaces, and are \(labels.count) classes. "
                    + "If they mean the same, \(remedy)"
            }
    }

    /// The label with unusual spaces as escapes.
    private static func visible(_ label: String) -> String {
        label.printable.unicodeScalars.reduce(into: "") { text, scalar in
            text += isBlank(scalar) && scalar != " " ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
        }
    }
}

/// The numbers of a model's classes, by their labels.
///
/// A label that is no class as it is is looked up as `LabelSpelling.cleaned`, on both sides: earlier versions kept spaces around labels.
struct ClassNumbers {
    private var exact: [String: Int] = [:]
    private var cleaned: [String: Int] = [:]

    init(_ classes: [String]) {
        for (number, label) in classes.enumerated() {
            exact[label] = number
            let text = LabelSpelling.cleaned(label)
            if cleaned[text] == nil { cleaned[text] = number }
        }
    }

    subscript(label: String) -> Int? { exact[label] ?? cleaned[LabelSpelling.cleaned(label)] }
}
