import VidSystem

/// Data as a CSV file with the columns `path`, `label` and optionally `split` and `group`; paths are relative to the file.
enum TableLayout {
    private static let columns = ["path", "label", "split", "group"]

    static func read(_ path: String) throws -> FoundClips {
        let table = try CSVTable(path: path)
        for (place, name) in table.header.enumerated() {
            guard columns.contains(name) else {
                throw VidclassError.file(path, "line 1: unknown column \"\(name.brief)\"; expected path, label, split, group")
            }
            guard table.header.firstIndex(of: name) == place else {
                throw VidclassError.file(path, "line 1: the column \"\(name)\" appears twice")
            }
        }
        guard let pathColumn = table.header.firstIndex(of: "path"), let labelColumn = table.header.firstIndex(of: "label") else {
            throw VidclassError.file(path, "line 1: expected the columns path and label")
        }
        let splitColumn = table.header.firstIndex(of: "split")
        let groupColumn = table.header.firstIndex(of: "group")

        var found = FoundClips()
        if splitColumn != nil { found.splits = [] }
        for record in table.records {
            let (id, label) = (record.fields[pathColumn], record.fields[labelColumn])
            let split = splitColumn.flatMap { Split(name: record.fields[$0]) }
            let group: String? =
                groupColumn.map { record.fields[$0].isEmpty ? nil : record.fields[$0] }
                ?? FoundClips.group(ofName: PathText.name(id), label: label)
            try found.add(record, id: id, label: label, split: split, group: group, in: PathText.parent(path), table: path)
            let clip = found.clips[found.clips.count - 1].path
            guard let status = try? SystemCall.status(clip) else {
                throw record.error("\(clip.printable) does not exist", path, kind: .missingInput)
            }
            if status.kind == .folder {
                do { _ = try FrameFolder(clip) } catch let error as VidclassError {
                    throw record.error(error.message, path, kind: error.kind)
                }
            } else if status.kind != .file {
                throw record.error("\(clip.printable) is not a regular file", path)
            }
            if let splitColumn {
                guard let split else {
                    throw record.error("split: expected train, val or test, found \"\(record.fields[splitColumn].brief)\"", path)
                }
                found.splits?.insert(split)
            }
        }
        return found
    }
}
