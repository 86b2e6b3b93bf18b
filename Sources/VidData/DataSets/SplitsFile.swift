import VidSystem

/// `splits.csv` of a run: the split of each clip, so that a resumed run uses the same ones.
///
///     path,label,split,group
///     walk/a.mp4,walk,train,
///     "run/b, fast.mp4",run,val,run/v_run_g03
///
/// The file is CSV as in RFC 4180, in UTF-8 with LF line ends. `path` is the clip's id, relative to the data's folder, or to the
/// folder of the data's table or `data.media`; `split` is `train`, `val` or `test`; `group` is empty for a clip without one. Lines are in the
/// order of `DataSet.entries`.
package enum SplitsFile {
    private static let header = ["path", "label", "split", "group"]

    /// Writes the splits of `data` to `path` atomically.
    package static func write(_ data: DataSet, to path: String) throws {
        try AtomicFile.write(to: path) { try $0.write(text(data).utf8) }
    }

    /// The file's text.
    package static func text(_ data: DataSet) -> String {
        data.entries.reduce(into: CSVText.line(header)) { text, entry in
            text += CSVText.line([entry.id, data.classes[entry.label], entry.split.rawValue, entry.group ?? ""].map(CSVText.cell))
        }
    }

    /// Opens the data at `data`, a folder or a table, with exactly the clips, labels, splits and groups of the table at `path`.
    ///
    /// Labels are numbered by `classes` (a checkpoint's), or else by the sorted labels of the training split. Clips of the data that
    /// the table does not name are left out and counted in a note, except those that `skipped.csv` beside it lists as bad.
    ///
    /// Throws `.missingInput` if a clip of the table no longer exists, `.badData` for an invalid table or an unknown label.
    package static func read(_ path: String, data: String, media: String? = nil, classes: [String]? = nil) throws -> DataSet {
        let isTable = try SystemCall.status(data).kind != .folder
        let folder = isTable ? PathText.parent(data) : data
        var found = try clips(path, in: folder, media: isTable ? media : nil, mayLeave: isTable)
        try lookForFiles(&found.clips, path, data)
        let areGiven = classes != nil
        let classes = try classes ?? found.sortedLabels(path)
        let entries = try found.entries(classes, areGiven: areGiven, path)
        let (findings, namesSplits) = differences(
            entries, classes, skipped: skipped(beside: path), data: data, media: media, isTable: isTable)
        return DataSet(path: data, media: media, classes: classes, entries: entries, findings: findings, namesSplits: namesSplits)
    }

    /// Reads the table's records as clips of the data in `folder`.
    ///
    /// - Parameter mayLeave: whether ids may lead out of the folder. The paths in a CSV file may; those of a folder are always below it.
    private static func clips(_ path: String, in folder: String, media: String?, mayLeave: Bool) throws -> FoundClips {
        let table = try CSVTable(path: path)
        guard table.header == header else {
            let found = table.header.joined(separator: ",").brief
            throw VidclassError.file(path, "line 1: expected the header \(header.joined(separator: ",")), found \(found)")
        }
        guard !table.records.isEmpty else { throw VidclassError.file(path, "the table names no clips") }
        var found = FoundClips()
        found.isOfRun = true
        for record in table.records {
            let id = record.fields[0]
            // guard: splits-inside-folder
            guard
                mayLeave
                    || (id.utf8.first != UInt8(ascii: "/")
                        && !id.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) })
            else { throw record.error("\(id.printable) leads out of the data folder \(folder.printable)", path) }
            guard let split = Split(rawValue: record.fields[2]) else {
                throw record.error("split: expected train, val or test, found \"\(record.fields[2].brief)\"", path)
            }
            let group = record.fields[3].isEmpty ? nil : record.fields[3]
            let clip = ListedClip(
                table: path, line: record.line, id: id, path: ListedFiles.path(ofID: id, in: folder, media: media), label: record.fields[1])
            found.clips.append(try FoundClips.clip(clip, label: clip.label, split: split, group: group))
        }
        try found.checkIDs()
        return found
    }

    /// Notes the status of each file. Throws if one is missing.
    private static func lookForFiles(_ clips: inout [FoundClips.Clip], _ path: String, _ data: String) throws {
        let looks = mapInParallel(clips.count) { SystemCall.look(at: ClipPath.file(clips[$0].path)) }
        for place in clips.indices { clips[place].status = looks[place].file }
        let gone = clips.indices.filter { !looks[$0].isThere }.map { clips[$0] }
        guard let first = gone.first else { return }
        throw VidclassError.file(
            data,
            "\(gone.count) of the \(clips.count) clips in \(path.printable) no longer \(gone.count == 1 ? "exists" : "exist"), for example "
                + "\(first.id.printable); restore \(gone.count == 1 ? "it" : "them") or start a new training",
            kind: .missingInput)
    }

    /// The ids of the bad clips that the run left out, from the `skipped.csv` in the same folder. Empty if there is none.
    private static func skipped(beside path: String) -> [String] {
        let table = try? CSVTable(path: PathText.join(PathText.parent(path), "skipped.csv"))
        return table?.header.first == "path" ? table?.records.map { $0.fields[0] } ?? [] : []
    }

    /// Compares the data as it is now with the recorded entries: new clips become notes, and files that are no clips are counted.
    private static func differences(
        _ entries: [DataSet.Entry], _ classes: [String], skipped: [String], data: String, media: String?, isTable: Bool
    ) -> (findings: DataSet.Findings, namesSplits: Bool) {
        let now: FoundClips
        do {
            now =
                isTable
                ? try TableLayout.read(data, media: media) : try FolderLayout.read(data, mayLackTraining: true, classes: classes)
        } catch {
            return (DataSet.Findings(notes: ["could not look for new clips: \(error)"]), false)
        }
        let known = Set((entries.map(\.id) + skipped).map { Array($0.utf8) })
        let new = now.clips.filter { !known.contains(Array($0.id.utf8)) }
        var findings = DataSet.Findings(
            otherFiles: now.otherFiles, looseClips: now.looseClips, invalidNames: now.invalidNames, form: now.form, notes: now.notes)
        if let first = new.first {
            findings.notes.append(
                "the data has \(new.count) new \(new.count == 1 ? "clip" : "clips"), for example \(first.id.printable); the run does not "
                    + "use \(new.count == 1 ? "it" : "them"), because its splits.csv lists its clips")
        }
        return (findings, now.splits != nil)
    }
}
