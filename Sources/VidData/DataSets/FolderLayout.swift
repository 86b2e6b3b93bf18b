import VidSystem

/// Data as folders: one per class, or `train`, `val` and `test` with one per class each.
enum FolderLayout {
    /// A folder, and its id in reports.
    private struct Place {
        let path: String
        let id: String

        func child(_ name: String) -> Place { Place(path: PathText.join(path, name), id: PathText.join(id, name)) }
    }

    /// Reads the folder at `path`.
    ///
    /// A folder that holds all clips and no class is entered. With `mayLackTraining`, a single `test` folder also counts as a layout
    /// of splits (for evaluation). Folders with the name of one of `classes`, which a model knows, are classes.
    static func read(_ path: String, mayLackTraining: Bool, classes: [String]? = nil) throws -> FoundClips {
        var found = FoundClips()
        found.root = Folder.resolved(path)
        let known = ClassNumbers(classes ?? [])
        var place = Place(path: path, id: "")
        var top = try folders(place, &found)
        for name in try wrapping(place, top, looseClips: found.looseClips, known) {
            noteWithoutClips(top.filter { $0 != name }, in: place, &found)
            place = place.child(name)
            top = try folders(place, &found)
        }
        if !place.id.isEmpty { found.notes.append("the class folders are in \(place.id.printable)") }
        found.classFolder = place.path
        let splits = top.compactMap { name in Split(name: name).map { (split: $0, name: name) } }
        if try isLayoutOfSplits(place, top, splits, mayLackTraining: mayLackTraining) {
            found.splits = []
            noteWithoutClips(top.filter { Split(name: $0) == nil }, in: place, &found)
            for (split, name) in splits {
                let folder = place.child(name)
                let clips = found.clips.count
                for label in try folders(folder, &found) {
                    try readClass(folder.child(label), label: label, split: split, of: path, &found)
                }
                guard found.clips.count > clips else {
                    found.notes.append("passed over the folder \(folder.id.printable), which has no clips in class folders")
                    continue
                }
                guard found.splits?.insert(split).inserted == true else {
                    let names = splits.filter { $0.split == split }.map { PathText.join(place.path, $0.name).printable }
                    throw VidclassError.file(
                        path, "found two folders for the split \"\(split.rawValue)\" (\(names.joined(separator: ", "))); keep one")
                }
            }
        } else {
            for label in top { try readClass(place.child(label), label: label, split: nil, of: path, &found) }
            try refuseSameFolders(place, top, found.clips, known)
        }
        found.otherFiles.sort(by: PathText.precedes)
        if let note = FolderWalk.systemNote(found.systemFolders) { found.notes.append(note) }
        if let note = FolderLink.note(found.linksOut) { found.notes.append(note) }
        return found
    }

    // MARK: - Layouts

    /// The names of the folders to enter, one in the other, because each is the only one that holds clips: `UCF-101` in `UCF-101/<class>/`.
    /// Empty if the classes are in `place` itself, or if there are no two folders with clips beside each other.
    private static func wrapping(_ place: Place, _ top: [String], looseClips: Int, _ known: ClassNumbers) throws -> [String] {
        var (place, folders, hasClips) = (place, top, looseClips > 0)
        var names: [String] = []
        while !hasClips, names.count < 64 {
            let holding = Array(folders.lazy.filter { !isWithoutClips(place.child($0)) }.prefix(2))
            // A folder of pictures is a clip.
            guard let name = holding.first,
                !holding.contains(where: { (try? FolderWalk(place.child($0).path).isClip) ?? false })
            else { break }
            if holding.count > 1 { return names }
            guard Split(name: name) == nil, known[LabelSpelling.cleaned(name)] == nil else { return names }
            names.append(name)
            place = place.child(name)
            var inner = FoundClips()
            folders = try self.folders(place, &inner)
            hasClips = inner.looseClips > 0
        }
        return []
    }

    private static func isWithoutClips(_ place: Place) -> Bool { (try? FolderWalk(place.path).clips.isEmpty) ?? false }

    private static func noteWithoutClips(_ names: [String], in place: Place, _ found: inout FoundClips) {
        found.notes += names.map { "passed over the folder \(place.child($0).id.printable), which has no clips" }
    }

    /// Returns whether the folder contains only splits, `train` among them, and `train` contains folders. Folders without clips do not
    /// count.
    ///
    /// - Throws: for folders of splits with clips directly in them, or beside folders of classes.
    private static func isLayoutOfSplits(
        _ place: Place, _ top: [String], _ splits: [(split: Split, name: String)], mayLackTraining: Bool
    ) throws -> Bool {
        guard !splits.isEmpty else { return false }
        let others = top.filter { Split(name: $0) == nil && !isWithoutClips(place.child($0)) }
        let isOnlySplits = others.isEmpty
        guard let training = splits.first(where: { $0.split == .train }) else { return mayLackTraining && isOnlySplits }
        var ignored = FoundClips()
        let hasClasses = try !folders(place.child(training.name), &ignored).isEmpty
        let names = splits.map(\.name.printable).joined(separator: ", ")
        if isOnlySplits {
            if hasClasses { return true }
            guard Set(splits.map(\.split)).count > 1 else { return false }
            throw VidclassError.file(
                place.path, "found the splits \(names) without class folders in them",
                advice: ["Make one folder per class in each split. A folder's name is its class:"]
                    + ["CLASS1/a.mp4", "CLASS2/b.mp4"].map { "  " + PathText.join(place.child(training.name).path, $0) })
        }
        // `train` is a valid class next to `bus`, but not next to `val` or `test`.
        guard hasClasses, splits.count > 1 else { return false }
        throw VidclassError.file(
            place.path,
            "expected only splits (train, val, test) or only classes, found splits and other folders "
                + "(\(others.map(\.printable).joined(separator: ", ")))")
    }

    /// Refuses folders that all hold the same folders and nothing else: `cat/train`, `cat/test`, `dog/train`, ... or `fold1/cat`,
    /// `fold1/dog`, `fold2/cat`, ... The labels may be one level further down than expected.
    private static func refuseSameFolders(_ place: Place, _ top: [String], _ clips: [FoundClips.Clip], _ known: ClassNumbers) throws {
        // Below each folder: the names of the folders with clips; nil for clips directly in it.
        var below: [[UInt8]: Set<String?>] = [:]
        let level = place.id.isEmpty ? 0 : place.id.utf8.split(separator: UInt8(ascii: "/")).count
        for clip in clips {
            let parts = clip.id.utf8.split(separator: UInt8(ascii: "/")).dropFirst(level).map { Array($0) }
            guard let first = parts.first else { continue }
            let inner = parts.count > 2 ? LabelSpelling.cleaned(String(decoding: parts[1], as: UTF8.self)) : nil
            below[first, default: []].insert(inner)
        }
        guard below.count > 1, let names = below.values.first, names.count > 1, !names.contains(nil),
            below.values.allSatisfy({ $0 == names }),
            !top.contains(where: { known[LabelSpelling.cleaned($0)] != nil })
        else { return }
        let outer = top.filter { below[Array($0.utf8)] != nil }
        throw LayoutAdvice.sameFoldersError(
            place.path, outer: outer, inner: names.compactMap(\.self).sorted(by: PathText.precedes), clips.map(\.path))
    }

    // MARK: - Folders

    /// Reads all clips in and below the folder of a class of the data at `data`.
    private static func readClass(_ place: Place, label: String, split: Split?, of data: String, _ found: inout FoundClips) throws {
        // guard: links-back-to-data, without: [found.root, PathText.parent(place.path)] -> []
        let walk = try FolderWalk(place.path, id: place.id, root: found.root, above: [found.root, PathText.parent(place.path)])
        guard !walk.isClip else { throw LayoutAdvice.errorForClass(place.path, label) }
        let label = LabelSpelling.cleaned(label)
        found.systemFolders += walk.systemFolders
        guard !walk.clips.isEmpty else {
            let others = walk.otherFiles
            guard let first = others.first else {
                found.notes.append("passed over the empty folder \(place.id.printable)")
                return
            }
            guard !holdsRun(others) else {
                found.notes.append("passed over the folder \(place.id.printable), which holds training runs and no clips")
                return
            }
            let error = VidclassError.file(
                place.path,
                "the class \"\(label.printable)\" has no clips (.bin, .npy, videos or sounds), only "
                    + "\(others.count == 1 ? "the file" : "\(others.count) other files, such as") \(first.printable); "
                    + "add some or remove the folder")
            throw LayoutAdvice.pictureError(data, others, walk.pictureNotes) ?? error
        }
        guard !label.isEmpty else {
            throw VidclassError.file(place.path, "the folder's name has only spaces, so that its class has no name; rename it")
        }
        found.clips += walk.clips.map { clip in
            FoundClips.Clip(
                path: clip.path, id: clip.id, label: label, split: split,
                group: FoundClips.group(ofName: PathText.name(clip.path), label: label), status: clip.status)
        }
        found.otherFiles += walk.otherFiles
        found.invalidNames += walk.invalidNames
        found.linksOut += walk.linksOut
        if let note = walk.pictureNotes.first {
            found.notes.append(
                note + (walk.pictureNotes.count > 1 ? "; other folders with such pictures: \(walk.pictureNotes.count - 1)" : "")
            )
        }
        found.notes += walk.linksBack.map { "skipped \($0.printable), a link back to a folder above it" }
        found.notes += walk.repeated.map { "skipped \($0.printable), a link to a folder that was already read" }
    }

    /// Whether these files are, among others, those of a training's run.
    private static func holdsRun(_ files: [String]) -> Bool {
        let all = Set(files)
        return files.contains { file in
            PathText.name(file) == "config.json"
                && ["results.csv", "splits.csv", "run.json"].contains { all.contains(PathText.join(PathText.parent(file), $0)) }
        }
    }

    /// The visible folders in `place`; visible files next to them are added to the other files.
    private static func folders(_ place: Place, _ found: inout FoundClips) throws -> [String] {
        let (names, unreadable) = try Folder.names(place.path)
        found.otherFiles += unreadable.map { PathText.join(place.id, $0) }
        found.invalidNames += unreadable.count
        var folders: [String] = []
        for name in names where !PathText.isHidden(name) {
            let child = place.child(name)
            let (kind, _, link) = FolderLink.look(child.path, id: child.id, root: found.root)
            if kind == .folder {
                if FolderWalk.isSystemFolder(name) {
                    found.systemFolders.append(child.id)
                    continue
                }
                folders.append(name)
                if let link { found.linksOut.append(link) }
            } else {
                found.otherFiles.append(child.id)
                if ClipFormat(candidate: child.path, kind) != nil { found.looseClips += 1 }
            }
        }
        return folders
    }
}
