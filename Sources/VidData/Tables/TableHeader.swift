import VidConfig
import VidSystem

/// The names of a table's columns. They are compared without spaces around them and without case.
struct TableHeader {
    let columns: [String]

    init(_ fields: [String]) { columns = fields.map { TableHeader.trimmed($0).lowercased() } }

    /// The text without any kind of space around it.
    static func trimmed(_ text: String) -> String { text.trimmed { $0.properties.isWhitespace } }

    /// The first column that has one of `names`.
    func place(of names: String...) -> Int? { columns.firstIndex { names.contains($0) } }

    func has(_ names: String...) -> Bool { names.allSatisfy { columns.contains($0) } }

    /// Throws if two columns have one of `names`; `path` is the table's.
    func checkSingle(_ names: [String], _ path: String, line: Int) throws {
        for name in names where columns.count(where: { $0 == name }) > 1 {
            throw VidclassError.file(path, "line \(line): the column \"\(name)\" appears twice")
        }
    }

    /// The word of which `name` is a slip of the keyboard.
    private static func misspelt(_ name: String, among words: [String]) -> String? {
        let letters = Array(name.unicodeScalars.prefix(32))
        return letters.count < 4 ? nil : words.first { editDistance(letters, Array($0.unicodeScalars)) == 1 }
    }

    /// A note that names the columns of `fields`, the header, that are not `used`; nil if there are none. A column without a name, such
    /// as pandas's index, is passed over.
    ///
    /// - Parameter known: names that would have had a meaning.
    func note(unused fields: [String], used: Set<Int>, known: [String]) -> String? {
        let missing = known.filter { !columns.contains($0) }
        let ignored = columns.indices.filter { place in
            let name = columns[place]
            return !used.contains(place) && !name.isEmpty && !(name.hasPrefix("unnamed: ") && Int(name.dropFirst(9)) != nil)
        }
        guard !ignored.isEmpty else { return nil }
        let names = ignored.prefix(8).map { place in
            "\"\(fields[place].brief)\"" + (TableHeader.misspelt(columns[place], among: missing).map { " (\($0)?)" } ?? "")
        }
        return "ignored the column\(ignored.count == 1 ? "" : "s") \(names.joined(separator: ", "))"
            + (ignored.count > 8 ? " and \(ignored.count - 8) more" : "")
    }
}
