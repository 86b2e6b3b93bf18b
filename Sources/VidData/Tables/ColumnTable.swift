import VidSystem

/// A table with a row per clip: a path, a label, and perhaps a split, a group, and a start and end.
///
/// These are vidclass's own `path,label[,split][,group]`, zamba's `filepath,label[,site][,split]`, in which a site is a group, and
/// `video,label,start,end` of CreateML and `predict --bouts`.
enum ColumnTable {
    private static let paths = ["path", "filepath", "video"]
    private static let known = ["path", "filepath", "video", "label", "split", "group", "site", "start", "end", "start_frame", "end_frame"]

    static func accepts(_ header: TableHeader) -> Bool { paths.contains { header.has($0) } && header.has("label") }

    static func read(_ table: CSVTable, _ path: String, media: String?) throws -> ClipList {
        let header = TableHeader(table.header)
        try header.checkSingle(known, path, line: table.headerLine)
        let columns = try Columns(header, path, line: table.headerLine)
        var files = ListedFiles(of: path, media: media)
        var list = ClipList(form: columns.form(header))
        list.isNamed = list.form.contains(":")
        list.namesSplits = columns.split != nil
        list.notes = [header.note(unused: table.header, used: columns.used, known: known)].compactMap(\.self)
        list.clips.reserveCapacity(table.records.count)
        let direct = files.direct(table.records.map { $0.fields[columns.path] })
        for (record, direct) in zip(table.records, direct) {
            let text = record.fields[columns.path]
            let label = record.fields[columns.label]
            guard !text.isEmpty, !label.isEmpty else { throw record.error("path and label cannot be empty", path) }
            let (file, written) = try direct.map { ($0, nil) } ?? find(text, record, path, &files)
            let segment = try columns.segment(record, path)
            guard segment == nil || written == nil else {
                throw record.error("\(text.printable) has a start and end of its own besides those of the columns", path)
            }
            list.clips.append(
                ListedClip(
                    table: path, line: record.line, id: ClipPath(file: file.id, segment: segment ?? written).text,
                    path: ClipPath(file: file.path, segment: segment ?? written).text, label: label,
                    split: columns.split.map { record.fields[$0] }, group: columns.group.map { record.fields[$0] }, status: file.status))
        }
        return list
    }

    /// The file that `text` names, and the segment that it names itself.
    private static func find(
        _ text: String, _ record: CSVTable.Record, _ path: String, _ files: inout ListedFiles
    ) throws -> (ListedFiles.Found, ClipSegment?) {
        if let file = files.find(text) { return (file, nil) }
        let address = ClipPath(text)
        if address.segment != nil, let file = files.find(address.file) { return (file, address.segment) }
        if let fault = ClipPath.fault(of: text, isThere: { files.find($0) != nil }) {
            throw record.error("\(text.brief): \(fault)", path)
        }
        throw files.missing(address.file, record, path)
    }

    /// The places of the columns in a header.
    private struct Columns {
        let path: Int
        let label: Int
        let split: Int?
        let group: Int?
        private let start: Int?
        private let end: Int?
        private let unit: ClipSegment.Unit
        private let names: (String, String)

        init(_ header: TableHeader, _ table: String, line: Int) throws {
            func error(_ message: String) -> VidclassError { .file(table, "line \(line): \(message)") }
            let given = ColumnTable.paths.filter { header.has($0) }
            guard given.count == 1, let path = header.place(of: given[0]), let label = header.place(of: "label") else {
                throw error("the columns \(given.joined(separator: " and ")) both name the clip; keep one")
            }
            (self.path, self.label) = (path, label)
            split = header.place(of: "split")
            group = header.place(of: "group") ?? header.place(of: "site")
            unit = header.has("start") || header.has("end") ? .seconds : .frames
            names = unit == .seconds ? ("start", "end") : ("start_frame", "end_frame")
            start = header.place(of: names.0)
            end = header.place(of: names.1)
            guard (start == nil) == (end == nil) else {
                throw error("expected both columns, \(names.0) and \(names.1), or none")
            }
        }

        var used: Set<Int> { Set([path, label, split, group, start, end].compactMap(\.self)) }

        /// The columns, with the name of the form before them if it has one.
        func form(_ header: TableHeader) -> String {
            let names = [path, label, split, group, start, end].compactMap(\.self).map { header.columns[$0] }
            let name = ["filepath": "zamba", "video": "CreateML"][header.columns[path]]
            return (name.map { $0 + ": " } ?? "") + names.joined(separator: ",")
        }

        /// The part of its video that a row names; nil for the whole.
        func segment(_ record: CSVTable.Record, _ table: String) throws -> ClipSegment? {
            guard let start, let end else { return nil }
            let texts = (record.fields[start], record.fields[end])
            if ClipTime.isMissing(texts.0), ClipTime.isMissing(texts.1) { return nil }
            return try ClipTime.segment(texts.0, texts.1, names: names, unit, record, table)
        }
    }
}
