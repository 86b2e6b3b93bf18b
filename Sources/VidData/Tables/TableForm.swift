import VidSystem

/// The forms of tables with a header, and the choice of the form of a file.
enum TableForm {
    /// A row per clip; see `ColumnTable`.
    case columns
    case kinetics
    case boris

    init?(_ header: TableHeader) {
        if KineticsTable.accepts(header) {
            self = .kinetics
        } else if BORISTable.accepts(header) {
            self = .boris
        } else if ColumnTable.accepts(header) {
            self = .columns
        } else {
            return nil
        }
    }

    /// Whether the header may stand below other lines.
    var mayFollowOthers: Bool { self == .boris }

    func read(_ table: CSVTable, _ path: String, media: String?) throws -> ClipList {
        switch self {
        case .columns: try ColumnTable.read(table, path, media: media)
        case .kinetics: try KineticsTable.read(table, path, media: media)
        case .boris: try BORISTable.read(table, path, media: media)
        }
    }

    /// The headers that are accepted, for messages.
    static let accepted = [
        "path,label[,split][,group][,start,end]", "filepath,label[,site][,split]   (zamba)",
        "label,youtube_id,time_start,time_end,split   (Kinetics)",
        "Media file name,Behavior,Start (s),Stop (s)   (BORIS)",
    ]

    /// Reads the table or list at `path`. Its content decides on its form.
    ///
    /// - Parameter media: another folder in which clips are looked for.
    /// - Throws: `.badData` with file and line if it is invalid or of no known form, `.missingInput` if a clip is not there.
    static func read(_ path: String, media: String?) throws -> ClipList {
        let bytes = try TableText.read(path)
        for mayFollowOthers in [false, true] {
            for (delimiter, name) in delimiters {
                func form(_ fields: [String]) -> TableForm? {
                    TableForm(TableHeader(fields)).flatMap { mayFollowOthers && !$0.mayFollowOthers ? nil : $0 }
                }
                let isHeader = { (fields: [String]) in form(fields) != nil }
                guard CSVTable.hasHeader(bytes, delimiter: delimiter, among: mayFollowOthers ? 1000 : 1, isHeader),
                    let table = try CSVTable(bytes, path: path, delimiter: delimiter, skipsBlank: true, isHeader: isHeader),
                    let form = form(table.header)
                else { continue }
                var list = try form.read(table, path, media: media)
                if let name { list.form += ", separated by \(name)" }
                return list
            }
        }
        guard let list = try PlainList.read(bytes, path, media: media) else { throw unknown(bytes, path) }
        return list
    }

    private static let delimiters: [(UInt8, String?)] = [
        (CSVTable.comma, nil), (UInt8(ascii: ";"), "semicolons"), (UInt8(ascii: "\t"), "tabs"),
    ]

    /// The error for a table of no known form.
    private static func unknown(_ bytes: [UInt8], _ path: String) -> VidclassError {
        let advice =
            ["The first line names the columns, in any order:"] + accepted.map { "  " + $0 }
            + ["A list without a header has a path and a label in each line, as UCF-101's trainlist01.txt."]
        do {
            guard let first = try CSVTable.firstRecord(bytes, path: path) else {
                return .file(path, "the table is empty; expected a header `path,label[,split][,group]`", advice: advice)
            }
            let found = first.fields.prefix(20).joined(separator: ",").brief
            return .file(path, "line \(first.line): expected the columns path and label, found \"\(found)\"", advice: advice)
        } catch {
            return error as? VidclassError ?? .file(path, "\(error)")
        }
    }
}
