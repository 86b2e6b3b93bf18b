import VidSystem

/// One clip of a table or list.
struct ListedClip {
    /// The table, for errors; other lists may belong to the one that was named.
    var table: String
    var line: Int
    /// The address relative to the table's folder or to the media folder, and that by which it can be opened.
    var id: String
    var path: String
    var label: String
    /// As the table says it; nil if it says none.
    var split: String?
    var group: String?
    /// That of its file when it was found; nil for a folder, for what a link leads to, and if it is not known.
    var status: FileStatus?

    /// An error about this clip.
    func error(_ message: String, kind: VidclassError.Kind = .badData) -> VidclassError {
        .file(table, "line \(line): \(message)", kind: kind)
    }
}

/// The clips that a table or list names, in any of the forms that people bring.
struct ClipList {
    /// The form, for people: "path,label,split".
    var form: String
    /// Whether the form has a name of its own, such as zamba's.
    var isNamed = true
    var clips: [ListedClip] = []
    var notes: [String] = []
    var namesSplits = false
}
