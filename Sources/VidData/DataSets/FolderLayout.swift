import VidTensor

/// Data as folders: one a class, or `train`, `val` and `test` with one a class each.
enum FolderLayout {
    /// `mayLackTraining`: a `test` folder alone is a layout of parts, too (for evaluating).
    static func read(_ path: String, mayLackTraining: Bool) throws -> FoundClips {
        var found = FoundClips()
        let top = try Walk.folders(path, &found)
        let parts = top.compactMap { name in DataPart(name: name).map { (part: $0, name: name) } }
        if try isLayoutOfParts(path, top, parts, mayLackTraining: mayLackTraining) {
            found.parts = []
            for (part, name) in parts {
                guard found.parts?.insert(part).inserted == true else {
                    throw VidclassError.file(path, "two folders for the part \"\(part.rawValue)\"; keep one")
                }
                let folder = PathText.join(path, name)
                for label in try Walk.folders(folder, under: name, &found) {
                    try readClass(PathText.join(folder, label), id: PathText.join(name, label), label: label, part: part, &found)
                }
            }
        } else {
            for label in top { try readClass(PathText.join(path, label), id: label, label: label, part: nil, &found) }
        }
        found.otherFiles.sort(by: PathText.precedes)
        return found
    }

    /// A folder has parts where nothing but parts is in it, `train` among them, and `train` holds folders.
    private static func isLayoutOfParts(
        _ path: String, _ top: [String], _ parts: [(part: DataPart, name: String)], mayLackTraining: Bool
    ) throws -> Bool {
        let hasTraining = parts.contains { $0.part == .train }
        guard hasTraining || mayLackTraining, !parts.isEmpty else { return false }
        if parts.count == top.count {
            guard let training = parts.first(where: { $0.part == .train }) else { return true }
            var ignored = FoundClips()
            return try !Walk.folders(PathText.join(path, training.name), &ignored).isEmpty
        }
        // `train` is a fine class, beside `bus`; but not beside `val` or `test`.
        guard hasTraining, parts.count > 1 else { return false }
        let others = top.filter { DataPart(name: $0) == nil }.map(\.printable).joined(separator: ", ")
        throw VidclassError.file(path, "holds train, val or test folders and others (\(others)); expected only parts, or only classes")
    }

    /// All clips in and below a class's folder.
    private static func readClass(_ path: String, id: String, label: String, part: DataPart?, _ found: inout FoundClips) throws {
        let before = found.clips.count
        try Walk.clips(path, id: id, &found) { path, id in
            FoundClips.Clip(
                path: path, id: id, place: id, label: label, part: part,
                group: ClipGroup.of(name: PathText.name(path), label: label))
        }
        guard found.clips.count > before else {
            throw VidclassError.file(
                path, "the class \"\(label.printable)\" has no clips (.bin, .npy or videos); add some or remove the folder")
        }
    }
}

/// Walks through folders in the order of bytes. Links are followed, but never back into a folder that is being walked.
private enum Walk {
    /// The visible folders in `path`; visible files beside them are noted as other files.
    static func folders(_ path: String, under id: String = "", _ found: inout FoundClips) throws -> [String] {
        let (names, unreadable) = try Folder.names(path)
        found.otherFiles += unreadable.map { PathText.join(id, $0) }
        var folders: [String] = []
        for name in names where !PathText.isHidden(name) {
            if (try? SystemCall.status(PathText.join(path, name)))?.kind == .folder {
                folders.append(name)
            } else {
                found.otherFiles.append(PathText.join(id, name))
            }
        }
        return folders
    }

    /// Every clip below `path`, as `make` describes it; `id` is the folder's own name in reports.
    static func clips(
        _ path: String, id: String, _ found: inout FoundClips, make: (_ path: String, _ id: String) -> FoundClips.Clip
    ) throws {
        try walk(path, id, [], &found, make)
    }

    private static func walk(
        _ path: String, _ id: String, _ above: [FileStatus.Identity], _ found: inout FoundClips,
        _ make: (_ path: String, _ id: String) -> FoundClips.Clip
    ) throws {
        let identity = try SystemCall.status(path).identity
        guard !above.contains(identity) else {
            found.notes.append("\(id.printable) links back to a folder above it and was passed over")
            return
        }
        guard above.count < 64 else { throw VidclassError.file(path, "folders are nested more than 64 deep") }
        let (names, unreadable) = try Folder.names(path)
        found.otherFiles += unreadable.map { PathText.join(id, $0) }
        for name in names where !PathText.isHidden(name) {
            let child = PathText.join(path, name)
            let childID = PathText.join(id, name)
            switch (try? SystemCall.status(child))?.kind {
            case .folder: try walk(child, childID, above + [identity], &found, make)
            // A FIFO or a broken link named like a clip is a bad clip, not another file: opening it says why.
            case .file, .other, nil:
                if ClipFormat(path: name) != nil {
                    found.clips.append(make(child, childID))
                } else {
                    found.otherFiles.append(childID)
                }
            }
        }
    }
}
