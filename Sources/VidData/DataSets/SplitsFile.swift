import VidSystem
import VidTensor

/// `splits.csv` of a run: which clip was in which part, so that a resumed run takes the same ones.
///
///     path,label,split,group
///     walk/a.mp4,walk,train,
///     "run/b, fast.mp4",run,val,run/v_run_g03
///
/// CSV as RFC 4180 has it, UTF-8, LF line ends. `path` is the clip's id: relative to the data's folder, or to the folder of
/// the data's CSV file; `split` is `train`, `val` or `test`; `group` is empty where a clip has none. Lines are in the order of
/// `DataSet.entries`.
package enum SplitsFile {
    private static let header = ["path", "label", "split", "group"]

    /// Writes the parts of `data` to `path`: whole or, after an error or a kill, not at all.
    package static func write(_ data: DataSet, to path: String) throws {
        try AtomicFile.write(to: path) { file in
            var text = CSVText.line(header)
            for entry in data.entries {
                text += CSVText.line([entry.id, data.classes[entry.label], entry.part.rawValue, entry.group ?? ""])
                if text.utf8.count > 1 << 20 {
                    try file.write(text.utf8)
                    text = ""
                }
            }
            try file.write(text.utf8)
        }
    }

    /// The data at `data`, a folder or a CSV file, with exactly the clips, labels, parts and groups of the table at `path`.
    ///
    /// Labels are numbered by `classes` (a checkpoint's), or else by the sorted labels of the training part. Clips of the
    /// data that the table does not name are counted in the findings' notes and left out.
    ///
    /// Throws `.missingInput` where a clip of the table is not there any more; `.badData` for a table that is none, or a
    /// label that is none of the classes.
    package static func read(_ path: String, data: String, classes: [String]? = nil) throws -> DataSet {
        let isTable = try SystemCall.status(data).kind != .folder
        let folder = isTable ? PathText.parent(data) : data
        var found = FoundClips()
        found.clips = try clips(path, in: folder, mayLeave: isTable)
        try checkPresence(found.clips, path, data)
        let classes = try classes ?? DataSet.sortedLabels(found, path)
        let entries = try DataSet.entries(found, classes, path)
        let (findings, namesParts) = differences(entries, data: data, isTable: isTable)
        return DataSet(path: data, classes: classes, entries: entries, findings: findings, namesParts: namesParts)
    }

    /// The table's records as clips of the data in `folder`.
    ///
    /// - Parameter mayLeave: whether ids may lead out of the folder: those of a CSV file do where it says so, those of a folder
    ///   are made by walking through it.
    private static func clips(_ path: String, in folder: String, mayLeave: Bool) throws -> [FoundClips.Clip] {
        let table = try CSVTable(path: path)
        guard table.header == header else {
            let found = table.header.joined(separator: ",").brief
            throw VidclassError.file(path, "line 1: expected the header \(header.joined(separator: ",")), found \(found)")
        }
        guard !table.records.isEmpty else { throw VidclassError.file(path, "the table names no clips") }
        var lines: [[UInt8]: Int] = [:]
        return try table.records.map { record in
            let (id, label) = (record.fields[0], record.fields[1])
            func complain(_ message: String) -> VidclassError { .file(path, "line \(record.line): \(message)") }
            guard !id.isEmpty, !label.isEmpty else { throw complain("path and label cannot be empty") }
            guard
                mayLeave
                    || (id.utf8.first != UInt8(ascii: "/")
                        && !id.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) })
            else { throw complain("\(id.printable) leads out of the data folder \(folder.printable)") }
            guard let part = Split.allCases.first(where: { $0.rawValue == record.fields[2] }) else {
                throw complain("split: expected train, val or test, found \"\(record.fields[2].brief)\"")
            }
            if let first = lines.updateValue(record.line, forKey: Array(id.utf8)) {
                throw complain("\(id.printable) stands already in line \(first)")
            }
            guard ClipFormat(path: id) != nil else { throw complain("\(id.printable) is no clip (.bin, .npy, a video or a sound)") }
            return FoundClips.Clip(
                path: id.utf8.first == UInt8(ascii: "/") ? id : PathText.join(folder, id), id: id, place: "line \(record.line)",
                label: label, part: part, group: record.fields[3].isEmpty ? nil : record.fields[3])
        }
    }

    private static func checkPresence(_ clips: [FoundClips.Clip], _ path: String, _ data: String) throws {
        let gone = clips.filter { (try? SystemCall.status($0.path)) == nil }
        guard let first = gone.first else { return }
        throw VidclassError.file(
            data,
            "\(gone.count) of the \(clips.count) clips in \(path.printable) \(gone.count == 1 ? "is" : "are") not there any more, "
                + "\(first.id.printable) for one; put \(gone.count == 1 ? "it" : "them") back, or start a new training",
            kind: .missingInput)
    }

    /// What the data holds now besides the entries.
    private static func differences(
        _ entries: [DataSet.Entry], data: String, isTable: Bool
    ) -> (findings: DataSet.Findings, namesParts: Bool) {
        let now: FoundClips
        do {
            now = isTable ? try TableLayout.read(data) : try FolderLayout.read(data, mayLackTraining: true)
        } catch {
            return (DataSet.Findings(notes: ["new clips were not looked for: \(error)"]), false)
        }
        let known = Set(entries.map { Array($0.id.utf8) })
        let new = now.clips.filter { !known.contains(Array($0.id.utf8)) }
        var findings = DataSet.Findings(otherFiles: now.otherFiles, notes: now.notes)
        if let first = new.first {
            findings.notes.append(
                "\(new.count) \(new.count == 1 ? "clip is" : "clips are") new in the data and not used, \(first.id.printable) for one: "
                    + "the run keeps to its splits.csv")
        }
        return (findings, now.parts != nil)
    }
}
