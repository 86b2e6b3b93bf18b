import VidSystem
import VidTensor

/// Data as a CSV file with the columns `path`, `label`, and perhaps `split` and `group`; paths are relative to the file.
enum TableLayout {
    private static let columns = ["path", "label", "split", "group"]

    static func read(_ path: String) throws -> FoundClips {
        let table = try CSVTable(path: path)
        for (place, name) in table.header.enumerated() {
            guard columns.contains(name) else {
                throw VidclassError.file(path, "line 1: unknown column \"\(name.brief)\"; expected path, label, split, group")
            }
            guard table.header.firstIndex(of: name) == place else {
                throw VidclassError.file(path, "line 1: the column \"\(name)\" stands twice")
            }
        }
        guard let pathColumn = table.header.firstIndex(of: "path"), let labelColumn = table.header.firstIndex(of: "label") else {
            throw VidclassError.file(path, "line 1: expected the columns path and label")
        }
        let splitColumn = table.header.firstIndex(of: "split")
        let groupColumn = table.header.firstIndex(of: "group")

        var found = FoundClips()
        if splitColumn != nil { found.parts = [] }
        let folder = PathText.parent(path)
        var lines: [[UInt8]: Int] = [:]
        for record in table.records {
            func complain(_ message: String, kind: VidclassError.Kind = .badData) -> VidclassError {
                .file(path, "line \(record.line): \(message)", kind: kind)
            }
            let id = record.fields[pathColumn]
            let label = record.fields[labelColumn]
            guard !id.isEmpty, !label.isEmpty else { throw complain("path and label cannot be empty") }
            let clip = id.utf8.first == UInt8(ascii: "/") ? id : PathText.join(folder, id)
            guard ClipFormat(path: clip) != nil else {
                throw complain("\(id.printable) is no clip (.bin, .npy or the extension of a video or sound)")
            }
            guard let status = try? SystemCall.status(clip) else {
                throw complain("\(clip.printable) does not exist", kind: .missingInput)
            }
            guard status.kind == .file else { throw complain("\(clip.printable) is no regular file") }
            if let first = lines.updateValue(record.line, forKey: Array(id.utf8)) {
                throw complain("\(id.printable) stands already in line \(first)")
            }
            var part: Split?
            if let splitColumn {
                part = Split(name: record.fields[splitColumn])
                guard let part else {
                    throw complain("split: expected train, val or test, found \"\(record.fields[splitColumn].brief)\"")
                }
                found.parts?.insert(part)
            }
            var group = groupColumn.map { record.fields[$0] }
            if group == "" { group = nil }
            if groupColumn == nil { group = ClipGroup.of(name: PathText.name(id), label: label) }
            found.clips.append(
                FoundClips.Clip(path: clip, id: id, place: "line \(record.line)", label: label, part: part, group: group))
        }
        return found
    }
}
