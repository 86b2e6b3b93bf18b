import VidSystem

/// Lists without a header: a path and a label in each line, as of UCF-101, MMAction2 and SlowFast.
///
/// A line is `path label` or `path total_frames label`, separated by a space, a comma, a semicolon or a tab, or a path alone, whose label
/// is the folder before the name. Of a list named `...train...`, the list named `...val...` or `...test...` beside it is another split.
/// Numbers get the names in `classInd.txt`, `labels.txt` or `label_map.txt` beside the list or in the folder above.
enum PlainList {
    /// A line of a list, taken apart.
    struct Line {
        var number: Int
        var path: String
        /// Nil for a path alone.
        var label: String?
        /// The number before the label.
        var frames: String?

        /// The folder before the name; nil if there is none.
        var folder: String? { ListedFiles.components(path).dropLast().last }
    }

    /// A list with its file and split.
    private struct Part {
        var path: String
        var lines: [Line]
        var split: String?
    }

    /// The list of `bytes` at `path`; nil if the first line is no line of a list.
    static func read(_ bytes: [UInt8], _ path: String, media: String?) throws -> ClipList? {
        guard let lines = try lines(bytes, path) else { return nil }
        var (parts, notes) = try siblings(of: path)
        parts.insert(Part(path: path, lines: lines, split: parts.isEmpty ? nil : "train"), at: 0)
        var files = ListedFiles(of: path, media: media, looksAbove: true)
        files.addFolders(holding: parts.flatMap { $0.lines.prefix(20).map(\.path) })
        let all = parts.flatMap(\.lines)
        let numbered = all.contains { $0.label.map(isNumber) ?? false }
        let names = numbered ? try LabelNames(beside: path) : nil
        let namesByFolders = all.contains { $0.label == nil }
        let usesFolders = names == nil && namesByFolders
        if names == nil, !usesFolders { try checkNumbers(parts) }
        let checksFolders = namesByFolders || names?.isOfUCF ?? false
        var list = ClipList(form: form(parts, names), notes: notes, namesSplits: parts.count > 1)
        if numbered, names == nil, !usesFolders {
            list.notes.append(
                "the labels of \(PathText.name(path).printable) are numbers; their names would be read from labels.txt beside it, a line each"
            )
        }
        for part in parts {
            for (line, direct) in zip(part.lines, files.direct(part.lines.map(\.path))) {
                let record = CSVTable.Record(line: line.number, fields: [])
                guard let file = direct ?? files.find(line.path, anyExtension: true) else {
                    throw files.missing(line.path, record, part.path)
                }
                let label = try label(of: line, names, usesFolders: usesFolders, record, part.path)
                if let names, checksFolders { try names.checkFolder(of: line, label, mustBeKnown: namesByFolders, record, part.path) }
                list.clips.append(
                    ListedClip(
                        table: part.path, line: line.number, id: file.id, path: file.path, label: label, split: part.split,
                        status: file.status))
            }
        }
        return list
    }

    /// Throws if all labels are numbers, and one of them is no number of a class. Of a list with words, such a label is a word, too.
    private static func checkNumbers(_ parts: [Part]) throws {
        let labels = parts.flatMap(\.lines).compactMap(\.label)
        guard labels.allSatisfy(isNumber) else { return }
        for part in parts {
            for line in part.lines {
                guard let label = line.label, label.utf8.contains(where: { !(0x30...0x39).contains($0) }) || Int(label) == nil else {
                    continue
                }
                throw VidclassError.file(
                    part.path,
                    "line \(line.number): expected the number of a class, 0, 1, 2, ..., as in other lines, found \"\(label.brief)\"")
            }
        }
    }

    /// "UCF-101 lists, trainlist01.txt and testlist01.txt".
    private static func form(_ parts: [Part], _ names: LabelNames?) -> String {
        let name = PathText.name(parts[0].path).lowercased()
        let isUCF = name.contains("trainlist") || name.contains("testlist") || names?.isOfUCF ?? false
        let line =
            parts[0].lines.first.map { $0.label == nil ? "path" : $0.frames != nil ? "path total_frames label" : "path label" }
            ?? "path label"
        let files = parts.map { PathText.name($0.path).printable }
        return (isUCF ? "UCF-101" : "`\(line)`") + " \(parts.count == 1 ? "list" : "lists"), "
            + (files.count > 1 ? files.dropLast().joined(separator: ", ") + " and " : "") + files[files.count - 1]
            + (names.map { ", labels from \($0.name)" } ?? "")
    }

    private static func label(
        of line: Line, _ names: LabelNames?, usesFolders: Bool, _ record: CSVTable.Record, _ path: String
    ) throws -> String {
        guard let label = line.label, !usesFolders || !isNumber(label) else {
            guard let folder = line.folder else {
                throw record.error("expected a label after the path, or the label's folder before the name, found \(line.path.brief)", path)
            }
            return folder
        }
        guard let names, isNumber(label) else { return label }
        guard let name = Int(label).flatMap({ names.labels[$0] }) else {
            throw record.error("the label \(label.brief) has no name in \(names.name.printable), which names \(names.range)", path)
        }
        return name
    }

    /// Whether the text is a number, of any size: not the name of a label.
    static func isNumber(_ text: String) -> Bool { text.utf8.allSatisfy { "0123456789.-+eE".utf8.contains($0) } && Double(text) != nil }
}

// MARK: - Other lists

extension PlainList {
    private static let otherSplits = [
        ("train", [("val", "val"), ("valid", "val"), ("validation", "val"), ("test", "test")]),
        ("training", [("validation", "val"), ("testing", "test")]),
    ]

    /// The lists beside the training list at `path` that have its name but for the split's, and notes on those that are none.
    private static func siblings(of path: String) throws -> (parts: [Part], notes: [String]) {
        let name = PathText.name(path).lowercased()
        let folder = PathText.parent(path)
        var parts: [Part] = []
        var notes: [String] = []
        for (word, others) in otherSplits where name.contains(word) {
            for (other, split) in others where !parts.contains(where: { $0.split == split }) {
                let wanted = name.replacing(word, with: other)
                guard let found = try Folder.names(folder).names.first(where: { $0.lowercased() == wanted }) else { continue }
                let file = PathText.join(folder, found)
                if let lines = try lines(try TableText.read(file), file) {
                    parts.append(Part(path: file, lines: lines, split: split))
                    notes.append("\(found.printable) beside the list is the split \"\(split)\"")
                } else {
                    notes.append("\(found.printable) beside the list is no list of clips, and is not read")
                }
            }
        }
        return (parts, notes)
    }
}

/// The names of numbered labels.
struct LabelNames {
    /// The file's name.
    let name: String
    let labels: [Int: String]
    /// The labels as they are compared.
    private let spellings: Set<String>

    /// Whether they are those of UCF-101, whose labels are also the folders of the clips.
    var isOfUCF: Bool { LabelNames.isOfUCF(name) }

    /// "0 to 100", the numbers that have names.
    var range: String { "\(labels.keys.min() ?? 0) to \(labels.keys.max() ?? 0)" }

    /// The names beside the list at `path`, or in the folder above; nil if there are none.
    init?(beside path: String) throws {
        let folder = PathText.parent(path)
        for folder in [folder, PathText.join(folder, "..")] {
            let names = ((try? Folder.names(folder).names) ?? [])
            let maps = names.filter { $0.lowercased().hasPrefix("label_map") && PathText.fileExtension($0) == "txt" }
            let wanted = ["classind.txt", "labels.txt", "label_map.txt"]
            let found = wanted.compactMap { wanted in names.first { $0.lowercased() == wanted } }.first ?? (maps.count == 1 ? maps[0] : nil)
            guard let found else { continue }
            (name, labels) = (found, try LabelNames.read(PathText.join(folder, found)))
            spellings = Set(labels.values.map(TableHeader.trimmed))
            return
        }
        return nil
    }

    private static func isOfUCF(_ name: String) -> Bool { name.lowercased() == "classind.txt" }

    /// Throws if a clip is in the folder of another label than `label`, that of its line in the list at `path`.
    ///
    /// - Parameter mustBeKnown: whether every folder is that of a label.
    func checkFolder(
        of line: PlainList.Line, _ label: String, mustBeKnown: Bool, _ record: CSVTable.Record, _ path: String
    ) throws {
        guard let folder = line.folder else { return }
        let isKnown = spellings.contains(TableHeader.trimmed(folder))
        guard let number = line.label else {
            guard isKnown else {
                throw record.error("\(name.printable) has no label \"\(folder.brief)\", the folder of \(line.path.brief)", path)
            }
            return
        }
        let isOther = TableHeader.trimmed(folder) != TableHeader.trimmed(label)
        if isOther, isKnown || mustBeKnown, PlainList.isNumber(number) {
            throw record.error(
                "\(line.path.brief) is in the folder \"\(folder.brief)\", but its label \(number.brief) is \"\(label.brief)\" in "
                    + "\(name.printable); correct one of the two", path)
        }
    }

    /// One label a line, numbered from 0, or each with its number before it, as UCF-101's always are.
    private static func read(_ path: String) throws -> [Int: String] {
        let lines = PlainList.texts(try TableText.read(path))
        guard !lines.isEmpty else { throw VidclassError.file(path, "names no labels") }
        let numbered: [(Int, String)] = lines.compactMap { _, line in
            let parts = line.split(maxSplits: 1) { " \t,".contains($0) }
            guard parts.count == 2, let number = Int(parts[0]), number >= 0 else { return nil }
            return (number, TableHeader.trimmed(String(parts[1])))
        }
        let isNumbered = numbered.count == lines.count
        if !isNumbered, isOfUCF(PathText.name(path)) {
            throw VidclassError.file(path, "expected a number of at least 0 and a label in each line, as `1 ApplyEyeMakeup`")
        }
        if !isNumbered, let (place, line) = lines.enumerated().first(where: { $0 + 1 != $1.number }) {
            throw VidclassError.file(
                path,
                "line \(place + 1) is blank, so that the number of the label \"\(line.text.brief)\" after it is not clear; remove the line")
        }
        let labels = isNumbered ? numbered : Array(zip(0..., lines.map(\.text)))
        return try Dictionary(labels) { first, second in
            throw VidclassError.file(path, "one number has two labels, \"\(first.brief)\" and \"\(second.brief)\"")
        }
    }
}
