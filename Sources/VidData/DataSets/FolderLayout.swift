import VidSystem
import VidTensor

/// Data as folders: one a class, or `train`, `val` and `test` with one a class each.
enum FolderLayout {
    /// `mayLackTraining`: a `test` folder alone is a layout of parts, too (for evaluating).
    static func read(_ path: String, mayLackTraining: Bool) throws -> FoundClips {
        var found = FoundClips()
        found.root = Folder.resolved(path)
        let top = try folders(path, &found)
        let parts = top.compactMap { name in Split(name: name).map { (part: $0, name: name) } }
        if try isLayoutOfParts(path, top, parts, mayLackTraining: mayLackTraining) {
            found.parts = []
            for (part, name) in parts {
                guard found.parts?.insert(part).inserted == true else {
                    throw VidclassError.file(path, "two folders for the part \"\(part.rawValue)\"; keep one")
                }
                let folder = PathText.join(path, name)
                for label in try folders(folder, under: name, &found) {
                    try readClass(PathText.join(folder, label), id: PathText.join(name, label), label: label, part: part, &found)
                }
            }
        } else {
            for label in top { try readClass(PathText.join(path, label), id: label, label: label, part: nil, &found) }
        }
        found.otherFiles.sort(by: PathText.precedes)
        if let note = FolderLink.note(found.linksOut) { found.notes.append(note) }
        return found
    }

    /// A folder has parts where nothing but parts is in it, `train` among them, and `train` holds folders.
    private static func isLayoutOfParts(
        _ path: String, _ top: [String], _ parts: [(part: Split, name: String)], mayLackTraining: Bool
    ) throws -> Bool {
        let hasTraining = parts.contains { $0.part == .train }
        guard hasTraining || mayLackTraining, !parts.isEmpty else { return false }
        if parts.count == top.count {
            guard let training = parts.first(where: { $0.part == .train }) else { return true }
            var ignored = FoundClips()
            return try !folders(PathText.join(path, training.name), &ignored).isEmpty
        }
        // `train` is a fine class, beside `bus`; but not beside `val` or `test`.
        guard hasTraining, parts.count > 1 else { return false }
        let others = top.filter { Split(name: $0) == nil }.map(\.printable).joined(separator: ", ")
        throw VidclassError.file(path, "holds train, val or test folders and others (\(others)); expected only parts, or only classes")
    }

    /// All clips in and below a class's folder.
    private static func readClass(_ path: String, id: String, label: String, part: Split?, _ found: inout FoundClips) throws {
        let walk = try FolderWalk(path, id: id, root: found.root, above: [found.root, PathText.parent(path)])
        guard !walk.clips.isEmpty else {
            throw VidclassError.file(
                path, "the class \"\(label.printable)\" has no clips (.bin, .npy or videos); add some or remove the folder")
        }
        found.clips += walk.clips.map { clip in
            FoundClips.Clip(
                path: clip.path, id: clip.id, place: clip.id, label: label, part: part,
                group: ClipGroup.of(name: PathText.name(clip.path), label: label))
        }
        found.otherFiles += walk.otherFiles
        found.linksOut += walk.linksOut
        found.notes += walk.linksBack.map { "\($0.printable) links back to a folder above it and was passed over" }
        found.notes += walk.repeated.map { "\($0.printable) links to a folder that was looked through already and was passed over" }
    }

    /// The visible folders in `path`; visible files beside them are noted as other files.
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
            }
        }
        return folders
    }
}
