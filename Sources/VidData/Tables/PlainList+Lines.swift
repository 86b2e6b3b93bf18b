import VidSystem

extension PlainList {
    /// The lines of a text with their numbers, without spaces around them and without empty ones.
    static func texts(_ bytes: [UInt8]) -> [(number: Int, text: String)] {
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            let text = TableHeader.trimmed(String(decoding: line, as: UTF8.self))
            return text.isEmpty ? nil : (number + 1, text)
        }
    }

    /// The lines of the list of `bytes`; nil if the first is no line of a list. Throws for another line that is none.
    static func lines(_ bytes: [UInt8], _ path: String) throws -> [Line]? {
        let texts = texts(bytes)
        guard let first = texts.first, let separator = separator(of: first.text) else { return nil }
        var lines: [Line] = []
        lines.reserveCapacity(texts.count)
        for (number, text) in texts {
            guard let line = line(text, number, separator) else {
                let expected = separator == .none ? "a path alone, as in the first line" : "a path, \(separator.words) and a label"
                throw VidclassError.file(
                    path, "line \(number): expected \(expected), found \"\(text.brief)\"",
                    advice: ["A table with more columns needs a header, such as path,label,split."])
            }
            lines.append(line)
        }
        // A number before each label is that of the frames.
        let isWithout = lines.contains { $0.frames == nil }
        for line in lines {
            guard let frames = line.frames else { continue }
            guard !isWithout else {
                throw VidclassError.file(
                    path, "line \(line.number): found two numbers after the path, but not in the other lines",
                    advice: ["Lists with several labels per clip are not read."])
            }
            guard let count = Int(frames), count >= 0 else {
                throw VidclassError.file(
                    path, "line \(line.number): expected the number of frames before the label, found \"\(frames.brief)\"")
            }
        }
        return lines
    }

    /// The length of a path is limited to 4096 bytes.
    private static let longestLine = 5000

    /// The characters between a path and its label.
    enum Separator: Equatable {
        /// The line is a path alone.
        case none
        case spaces
        case mark(Character)

        var words: String {
            switch self {
            case .none: "nothing"
            case .spaces: "a space"
            case .mark(let mark): mark == "," ? "a comma" : "a semicolon"
            }
        }

        func separates(_ character: Character) -> Bool {
            switch self {
            case .none: false
            case .spaces: character == " " || character == "\t"
            case .mark(let mark): character == mark
            }
        }
    }

    /// The separator of a list with this line; nil if this is no line of a list.
    private static func separator(of line: String) -> Separator? {
        for separator in [Separator.spaces, .mark(","), .mark(";"), .none] where PlainList.line(line, 1, separator) != nil {
            return separator
        }
        return nil
    }

    /// Takes a line apart; nil if it is none of a list with this separator.
    private static func line(_ text: String, _ number: Int, _ separator: Separator) -> Line? {
        guard text.utf8.count <= longestLine, text.unicodeScalars.allSatisfy({ $0 == "\t" || $0.properties.generalCategory != .control })
        else { return nil }
        guard separator != .none else { return isPath(text) ? Line(number: number, path: text) : nil }
        let marks = text.indices.filter { separator.separates(text[$0]) }
        // The path ends where it has the extension of a clip, or before the numbers.
        let ends = marks.filter { isPath(String(text[..<$0])) }
        if let end = ends.last { return line(String(text[..<end]), rest: text[end...], number, separator) }
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }) else { return nil }
        var numbers = text[...]
        var end: String.Index?
        while let last = numbers.lastIndex(where: separator.separates), isNumber(String(numbers[numbers.index(after: last)...])) {
            end = last
            numbers = numbers[..<last]
        }
        return end.flatMap { line(String(text[..<$0]), rest: text[$0...], number, separator) }
    }

    private static func line(_ path: String, rest: Substring, _ number: Int, _ separator: Separator) -> Line? {
        let words = rest.split(whereSeparator: separator.separates).map { TableHeader.trimmed(String($0)) }
        let numbers = words.filter(isNumber)
        var path = TableHeader.trimmed(path)
        if path.hasPrefix("\""), path.hasSuffix("\""), path.utf8.count > 2 { path = String(path.dropFirst().dropLast()) }
        switch words.count {
        case 0: return nil
        case _ where words[0] == "," || words[0] == ";": return nil
        case 1: return Line(number: number, path: path, label: words[0])
        case 2 where numbers.count == 2: return Line(number: number, path: path, label: words[1], frames: words[0])
        default:
            // A label may have spaces.
            guard separator == .spaces, numbers.count < words.count else { return nil }
            return Line(number: number, path: path, label: TableHeader.trimmed(String(rest)))
        }
    }

    /// Whether the text, perhaps in quotes, ends as the name of a clip.
    private static func isPath(_ text: String) -> Bool {
        let text = TableHeader.trimmed(text)
        return ClipFormat(name: text.hasSuffix("\"") ? String(text.dropLast()) : text) != nil
    }
}
