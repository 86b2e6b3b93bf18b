import VidSystem

/// Data as a table or list of clips, in any form that `TableForm` reads.
enum TableLayout {
    static func read(_ path: String, media: String?) throws -> FoundClips {
        if let media, try SystemCall.status(media).kind != .folder {
            throw VidclassError.file(media, "expected a folder of clips for --media (data.media)")
        }
        let list = try TableForm.read(path, media: media)
        var found = FoundClips()
        found.form = DataSet.Form(text: list.form, isNamed: list.isNamed)
        found.notes = list.notes
        if list.namesSplits { found.splits = [] }
        found.reserveCapacity(list.clips.count)
        var splits: [String: Split?] = [:]
        for clip in list.clips {
            let split = clip.split.flatMap { text -> Split? in
                if let known = splits[text] { return known }
                let split = Split(name: text)
                splits[text] = split
                return split
            }
            let group: String? = clip.group.map { $0.isEmpty ? nil : $0 } ?? FoundClips.group(ofName: fileName(of: clip), label: clip.label)
            try found.add(clip, split: split, group: group)
            if clip.status == nil { try checkKind(of: ClipPath(clip.path).file, clip) }
            if let text = clip.split {
                guard let split else { throw clip.error("split: expected train, val or test, found \"\(text.brief)\"") }
                found.splits?.insert(split)
            }
        }
        return found
    }

    /// Throws if `file`, that of the clip, is neither a regular file nor a folder of pictures.
    private static func checkKind(of file: String, _ clip: ListedClip) throws {
        do {
            let kind = try SystemCall.status(file).kind
            if kind == .folder {
                _ = try FrameFolder(file)
            } else if kind != .file {
                throw VidclassError.file(file, "is not a regular file")
            }
        } catch let error as VidclassError { throw clip.error(error.message, kind: error.kind) }
    }

    private static func fileName(of clip: ListedClip) -> String { PathText.name(ClipPath(clip.path).file) }
}

extension DataSet {
    /// The extensions of files that may be tables and lists of clips; their content decides on the form.
    package static let tableExtensions = ["csv", "tsv", "txt", "list", "lst"]

    /// Whether the name of the file at `path` is that of a table or list.
    package static func isTable(name path: String) -> Bool { tableExtensions.contains(PathText.fileExtension(path)) }
}
