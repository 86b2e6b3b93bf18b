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
        var hasFrames = false
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
        let numbered = all.contains { $0.label.flatMap { Int($0) } != nil }
        let names = numbered ? try LabelNames(beside: path) : nil
        let usesFolders = names == nil && all.contains { $0.label == nil }
        var list = ClipList(form: form(parts, names), notes: notes, namesSplits: parts.count > 1)
        if numbered, names == nil, !usesFolders {
            list.notes.append(
                "the labels of \(PathText.name(path).printable) are numbers; their names would be read from labels.txt beside it, a line each"
            )
        }
        var seen: [[UInt8]: (table: String, line: Int)] = [:]
        for part in parts {
            for line in part.lines {
                let record = CSVTable.Record(line: line.number, fields: [])
                guard let file = files.find(line.path, anyExtension: true) else { throw files.missing(line.path, record, part.path) }
                if let first = seen.updateValue((part.path, line.number), forKey: Array(file.id.utf8)) {
                    let place = first.table == part.path ? "" : "\(PathText.name(first.table).printable), "
                    throw record.error("\(line.path.printable) is already in \(place)line \(first.line)", part.path)
                }
                let label = try label(of: line, usesFolders ? nil : names, usesFolders: usesFolders, record, part.path)
                list.clips.append(
                    ListedClip(table: part.path, line: line.number, id: file.id, path: file.path, label: label, split: part.split))
            }
        }
        return list
    }

    /// "UCF-101 lists, trainlist01.txt and testlist01.txt".
    private static func form(_ parts: [Part], _ names: LabelNames?) -> String {
        let name = PathText.name(parts[0].path).lowercased()
        let isUCF = name.contains("trainlist") || name.contains("testlist") || names?.name.lowercased() == "classind.txt"
        let line =
            parts[0].lines.first.map { $0.label == nil ? "path" : $0.hasFrames ? "path total_frames label" : "path label" } ?? "path label"
        let files = parts.map { PathText.name($0.path).printable }
        return (isUCF ? "UCF-101" : "`\(line)`") + " \(parts.count == 1 ? "list" : "lists"), "
            + (files.count > 1 ? files.dropLast().joined(separator: ", ") + " and " : "") + files[files.count - 1]
            + (names.map { ", labels from \($0.name)" } ?? "")
    }

    private static func label(
        of line: Line, _ names: LabelNames?, usesFolders: Bool, _ record: CSVTable.Record, _ path: String
    ) throws -> String {
        guard let label = line.label, !usesFolders || Int(label) == nil else { return try folder(of: line, record, path) }
        guard let names, let number = Int(label) else { return label }
        guard let name = names.labels[number] else {
            throw record.error("the label \(number) has no name in \(names.name), which names \(names.range)", path)
        }
        return name
    }

    /// The folder before the name.
    private static func folder(of line: Line, _ record: CSVTable.Record, _ path: String) throws -> String {
        let parts = ListedFiles.components(line.path)
        guard parts.count > 1 else {
            throw record.error("expected a label after the path, or the label's folder before the name, found \(line.path.brief)", path)
        }
        return parts[parts.count - 2]
    }
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
            return
        }
        return nil
    }

    /// One label a line, numbered from 0, or each with its number before it.
    private static func read(_ path: String) throws -> [Int: String] {
        let lines = PlainList.texts(try TableText.read(path)).map(\.text)
        let numbered: [(Int, String)] = lines.compactMap { line in
            let parts = line.split(maxSplits: 1) { " \t,".contains($0) }
            guard parts.count == 2, let number = Int(parts[0]) else { return nil }
            return (number, TableHeader.trimmed(String(parts[1])))
        }
        let labels = numbered.count == lines.count ? numbered : Array(zip(0..., lines))
        return try Dictionary(labels) { first, second in
            throw VidclassError.file(path, "one number has two labels, \"\(first.brief)\" and \"\(second.brief)\"")
        }
    }
}
