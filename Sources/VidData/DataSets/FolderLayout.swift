import VidSystem

/// Data as folders: one per class, or `train`, `val` and `test` with one per class each.
enum FolderLayout {
    /// Reads the folder at `path`. With `mayLackTraining`, a single `test` folder also counts as a layout of splits (for evaluation).
    static func read(_ path: String, mayLackTraining: Bool) throws -> FoundClips {
        var found = FoundClips()
        found.root = Folder.resolved(path)
        let top = try folders(path, &found)
        let splits = top.compactMap { name in Split(name: name).map { (split: $0, name: name) } }
        if try isLayoutOfSplits(path, top, splits, mayLackTraining: mayLackTraining) {
            found.splits = []
            for (split, name) in splits {
                guard found.splits?.insert(split).inserted == true else {
                    throw VidclassError.file(path, "found two folders for the split \"\(split.rawValue)\"; keep one")
                }
                let folder = PathText.join(path, name)
                for label in try folders(folder, under: name, &found) {
                    try readClass(
                        PathText.join(folder, label), id: PathText.join(name, label), label: label, split: split, of: path, &found)
                }
            }
        } else {
            for label in top {
                try readClass(PathText.join(path, label), id: label, label: label, split: nil, of: path, &found)
            }
        }
        found.otherFiles.sort(by: PathText.precedes)
        if let note = FolderLink.note(found.linksOut) { found.notes.append(note) }
        return found
    }

    /// Returns whether the folder contains only splits, `train` among them, and `train` contains folders.
    private static func isLayoutOfSplits(
        _ path: String, _ top: [String], _ splits: [(split: Split, name: String)], mayLackTraining: Bool
    ) throws -> Bool {
        let training = splits.first { $0.split == .train }
        guard training != nil || mayLackTraining, !splits.isEmpty else { return false }
        if splits.count == top.count {
            guard let training else { return true }
            var ignored = FoundClips()
            return try !folders(PathText.join(path, training.name), &ignored).isEmpty
        }
        // `train` is a valid class next to `bus`, but not next to `val` or `test`.
        guard training != nil, splits.count > 1 else { return false }
        let others = top.filter { Split(name: $0) == nil }.map(\.printable).joined(separator: ", ")
        throw VidclassError.file(
            path, "expected only splits (train, val, test) or only classes, found splits and other folders (\(others))")
    }

    /// Reads all clips in and below the folder of a class of the data at `data`.
    private static func readClass(
        _ path: String, id: String, label: String, split: Split?, of data: String, _ found: inout FoundClips
    ) throws {
        // guard: links-back-to-data, without: [found.root, PathText.parent(path)] -> []
        let walk = try FolderWalk(path, id: id, root: found.root, above: [found.root, PathText.parent(path)])
        guard !walk.isClip else { throw LayoutAdvice.errorForClass(path, label, of: data) }
        guard !walk.clips.isEmpty else {
            let others = walk.otherFiles
            let found = others.first.map {
                ", only \(others.count == 1 ? "the file" : "\(others.count) other files, such as") \($0.printable)"
            }
            let error = VidclassError.file(
                path,
                "the class \"\(label.printable)\" has no clips (.bin, .npy, videos, sounds or folders of numbered pictures)\(found ?? ""); add some or remove the folder")
            throw LayoutAdvice.pictureError(data, others, walk.pictureNotes) ?? error
        }
        found.clips += walk.clips.map { clip in
            FoundClips.Clip(
                path: clip.path, id: clip.id, place: clip.id, label: label, split: split,
                group: FoundClips.group(ofName: PathText.name(clip.path), label: label))
        }
        found.otherFiles += walk.otherFiles
        found.linksOut += walk.linksOut
        if let note = walk.pictureNotes.first {
            found.notes.append(note + (walk.pictureNotes.count > 1 ? "; and so \(walk.pictureNotes.count - 1) more folders of \"\(label.printable)\"" : ""))
        }
        found.notes += walk.linksBack.map { "skipped \($0.printable), a link back to a folder above it" }
        found.notes += walk.repeated.map { "skipped \($0.printable), a link to a folder that was already read" }
    }

    /// The visible folders in `path`; visible files next to them are added to the other files.
    private static func folders(_ path: String, under id: String = "", _ found: inout FoundClips) throws -> [String] {
        let (names, unreadable) = try Folder.names(path)
        found.otherFiles += unreadable.map { PathText.join(id, $0) }
        var folders: [String] = []
        for name in names where !PathText.isHidden(name) {
            let (kind, link) = FolderLink.look(PathText.join(path, name), id: PathText.join(id, name), root: found.root)
            if kind == .folder {
                folders.append(name)
                if let link { found.linksOut.append(link) }
            } else {
                found.otherFiles.append(PathText.join(id, name))
                if ClipFormat(candidate: PathText.join(path, name), kind) != nil { found.looseClips += 1 }
            }
        }
        return folders
    }
}
