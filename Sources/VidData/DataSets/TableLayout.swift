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
        var (labelCounts, splitCounts) = (ValueCounts<String>(), ValueCounts<String>())
        for number in list.clips.indices {
            labelCounts.add(list.clips[number].label)
            if let split = list.clips[number].split { splitCounts.add(split) }
        }
        let labels = labelCounts.counts.keys.reduce(into: [:]) { $0[$1] = LabelSpelling.cleaned($1) }
        let splits = splitCounts.counts.keys.reduce(into: [:]) { $0[$1] = Split(name: $1) }
        found.splits?.formUnion(splits.values)
        found.clips = try mapInParallel(list.clips.count) { number in
            Result { try clip(list.clips[number], labels, splits) }
        }.map { try $0.get() }
        return found
    }

    /// The clip of one line.
    ///
    /// - Parameters:
    ///   - labels: the labels without spaces around them, by their spelling in the table.
    ///   - splits: the splits by their names in the table.
    private static func clip(_ clip: ListedClip, _ labels: [String: String], _ splits: [String: Split]) throws -> FoundClips.Clip {
        let split = clip.split.flatMap { splits[$0] }
        let group: String? = clip.group.map { $0.isEmpty ? nil : $0 } ?? FoundClips.group(ofName: fileName(of: clip), label: clip.label)
        let found = try FoundClips.clip(clip, label: labels[clip.label] ?? clip.label, split: split, group: group)
        if clip.status == nil { try checkKind(of: ClipPath(clip.path).file, clip) }
        guard let text = clip.split, split == nil else { return found }
        throw clip.error("split: expected train, val or test, found \"\(text.brief)\"")
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
