import VidSystem

/// Explains data that is not in class folders: what was found, what was expected, and how to get there.
enum LayoutAdvice {
    private static let pictureExtensions: Set<String> = ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "ppm", "pgm"]

    // MARK: - Folders

    /// The error for the folder `path`, in which no two classes with clips were found; `fallback` if nothing explains it better.
    static func error(forFolder path: String, fallback: VidclassError) -> VidclassError {
        guard let walk = try? FolderWalk(path) else { return fallback }
        let clips = walk.clips.map(\.id)
        let found = count(walk.clips.map(\.format))
        if clips.isEmpty { return emptyError(path, walk.otherFiles, walk.pictureNotes) }
        if walk.isClip {
            let frames = (try? FrameFolder(path))?.count ?? 0
            return .file(
                path, "expected one folder per class, found one clip, a folder of \(frames) numbered pictures",
                advice: ["Name the folder with the class folders, in which each clip is a folder:"]
                    + layout("DATA", ["CLASS1/\(PathText.name(path))/...", "CLASS2/..."]))
        }
        let folders = clips.map { components($0).dropLast() }
        let common = Array(folders.dropFirst().reduce(folders[0]) { common, next in zip(common, next).prefix { $0 == $1 }.map(\.0)[...] })
        let below = Set(folders.map { $0.dropFirst(common.count).first })
        if common.isEmpty {
            // Clips in several folders, or in folders and beside them, are another fault.
            return below == [nil] ? looseError(path, clips.sorted(by: PathText.precedes), found) : fallback
        }
        if !below.contains(nil), below.count > 1 {
            let better = common.reduce(path, PathText.join)
            return .file(
                path, "expected the class folders here, but they are further down, in \(better.printable)",
                advice: [
                    "Name that folder instead: \(ShellText.quoted(ShellText.path(better))) "
                        + "(with a configuration: \(ShellText.setting("data.path", better)))"
                ])
        }
        return .file(
            path, "expected at least two classes, found only \"\(common[0].printable)\" with \(found)",
            advice: ["Add a folder for each other class:"] + layout(path, ["\(common[0])/...", "CLASS2/..."]))
    }

    /// The error for a folder without any clips.
    private static func emptyError(_ path: String, _ others: [String], _ notes: [String]) -> VidclassError {
        if let error = pictureError(path, others, notes) { return error }
        let expected = ["Expected one folder per class; a folder's name is its class:"] + layout(path, ["CLASS1/a.mp4", "CLASS2/b.mp4"])
        guard let first = others.first else { return .file(path, "found no clips; the folder is empty", advice: expected) }
        let found = others.count == 1 ? "one other file, \(first.printable)" : "\(others.count) other files, such as \(first.printable)"
        return .file(path, "found no clips (.bin, .npy, videos or sounds), only \(found)", advice: expected)
    }

    /// The error for clips that are all directly in the folder.
    private static func looseError(_ path: String, _ clips: [String], _ found: String) -> VidclassError {
        let names = clips.count > 1 ? [clips[0], clips[1]] : [clips[0], "..."]
        var advice = ["Make one folder per class and move them there. A folder's name is its class:"]
        advice += layout(path, ["CLASS1/\(names[0])", "CLASS2/\(names[1])"])
        advice += tableByNames(path, clips)
        if let above = folderAbove(path) {
            advice.append("If this is the folder of one class, name the folder above it: \(ShellText.quoted(ShellText.path(above)))")
        } else {
            advice.append("Or list them in a CSV file with the columns path and label.")
        }
        return .file(path, "found \(found), but not in class folders", advice: advice)
    }

    /// For clips that are named after their classes, `cat_001.mp4`, a command that makes a table of them.
    private static func tableByNames(_ path: String, _ clips: [String]) -> [String] {
        let words = clips.map { clip in String(clip.prefix { $0.isASCII && $0.isLetter }) }
        let labels = Set(words).sorted(by: PathText.precedes)
        let isPlausible = labels.count > 1 && 2 * labels.count <= clips.count && zip(clips, words).allSatisfy { $1.count > 1 && $0 != $1 }
        guard isPlausible else { return [] }
        let table = freeTable(path)
        return [
            "If the names begin with the classes (\(list(labels))), make a table of the clips and name it instead:",
            "  (echo path,label; cd \(ShellText.quoted(ShellText.path(path))) && find -L . -maxdepth 1 -type f\(filter(clips)) | sort | "
                + #"sed 's|^\./||; s|"|""|g; s|^\([A-Za-z]*\).*|"&","\1"|') > "# + ShellText.quoted(ShellText.path(table)),
        ]
    }

    /// The folder above `path`, if another folder in it also has clips.
    private static func folderAbove(_ path: String) -> String? {
        let above = [".", ".."].contains(PathText.name(path)) ? PathText.parent(Folder.resolved(path)) : PathText.parent(path)
        let siblings = ((try? Folder.names(above).names) ?? []).filter { !PathText.isHidden($0) }.prefix(200)
        let classes = siblings.lazy.map { PathText.join(above, $0) }.filter { folder in
            (try? SystemCall.status(folder).kind) == .folder && hasClips(folder)
        }
        return classes.dropFirst().first == nil ? nil : above
    }

    /// Whether some file directly in `folder` is a clip; of names that do not tell, only the first few files are opened.
    private static func hasClips(_ folder: String) -> Bool {
        let names = ((try? Folder.names(folder).names) ?? []).filter { !PathText.isHidden($0) }
        return names.contains { ClipFormat(name: $0) != nil }
            || names.prefix(32).contains { ClipFormat(candidate: PathText.join(folder, $0)) != nil }
    }

    /// The error for the folder `path` if some files, `others`, are pictures, which may be frames of videos; nil if none are.
    ///
    /// - Parameter notes: why numbered pictures are not clips.
    static func pictureError(_ path: String, _ others: [String], _ notes: [String] = []) -> VidclassError? {
        func pictures(_ files: [String]) -> [String] { files.filter { pictureExtensions.contains(PathText.fileExtension($0)) } }
        guard !pictures(others).isEmpty else { return nil }
        let pictures = pictures((try? FolderWalk(path))?.otherFiles ?? others).sorted(by: PathText.precedes)
        guard let first = pictures.first else { return nil }
        let folders = Set(pictures.map { Array(components($0).dropLast()) })
        let found = "found \(pictures.count == 1 ? "one picture" : "\(pictures.count) pictures")"
        let place = folders.count == 1 ? "" : " in \(folders.count) folders"
        let name = "clip1/1." + PathText.fileExtension(first)
        return .file(
            path, "\(found)\(place), but no folder of numbered pictures that is a clip",
            advice: notes.prefix(3)
                + ["The frames of a clip are at least two pictures in a folder of its own, whose names differ only in their number:"]
                + layout(path, ["CLASS1/\(name)", "CLASS1/\(name.replacing("1.", with: "2."))", "CLASS2/..."]))
    }

    /// The error for the folder of a class that is itself a clip.
    static func errorForClass(_ path: String, _ label: String) -> VidclassError {
        let data = PathText.parent(path)
        let names = (try? FrameFolder(path))?.names ?? []
        var advice = ["Give each clip of a class a folder of its own:"] + layout(path, ["CLIP1/\(names.first ?? "1.png")", "CLIP2/..."])
        let above = [".", ".."].contains(PathText.name(data)) ? PathText.parent(Folder.resolved(data)) : PathText.parent(data)
        advice.append(
            "If \(data.printable) holds the clips of one class, name the folder above it: \(ShellText.quoted(ShellText.path(above)))")
        advice.append("Single photos are not clips: vidclass classifies videos.")
        return .file(
            path, "the class \"\(label.printable)\" is a single clip, a folder of \(names.count) numbered pictures", advice: advice)
    }

    /// The error for folders in `path`, `outer`, that all hold the same folders, `inner`, and nothing else: either may be the classes.
    static func sameFoldersError(_ path: String, outer: [String], inner: [String], _ clips: [String]) -> VidclassError {
        let (outerList, innerList) = (list(outer), list(inner))
        if Set(inner.map { Split(name: $0) }).count == inner.count, inner.allSatisfy({ Split(name: $0) != nil }) {
            return .file(
                path,
                "the splits (\(innerList)) are in the class folders; they are expected above them, as in "
                    + PathText.join(PathText.join(path, inner[0]), outer[0]).printable,
                advice: ["Move them, or make a table of the clips and name it instead:"] + table(path, clips, label: 1, split: 2))
        }
        return .file(
            path, "every folder holds the same folders (\(innerList)); they may be the classes instead of \(outerList)",
            advice: ["If \(innerList) are the classes, make a table of the clips and name it instead:"] + table(path, clips, label: 2)
                + ["If \(outerList) are the classes:"] + table(path, clips, label: 1))
    }

    /// A command that lists the clips two folders below `path` in a table, with a folder's name as the label, and the table's name.
    ///
    /// - Parameters:
    ///   - label: which of the folders, from 1, names the class.
    ///   - split: which one names the split.
    private static func table(_ path: String, _ clips: [String], label: Int, split: Int? = nil) -> [String] {
        let table = freeTable(path)
        let columns = #""&","\\#(label)""# + (split.map { #","\\#($0)""# } ?? "")
        return [
            "  (echo path,label\(split == nil ? "" : ",split"); cd \(ShellText.quoted(ShellText.path(path))) && find -L ./*/*/ -type f\(filter(clips)) | sort | "
                + #"sed 's|^\./||; s|"|""|g; s|^\([^/]*\)/\([^/]*\)/.*|\#(columns)|') > "# + ShellText.quoted(ShellText.path(table))
        ]
    }

    /// The arguments of `find` for the kinds of these clips.
    private static func filter(_ clips: [String]) -> String {
        let kinds = Set(clips.map(PathText.fileExtension))
        guard !kinds.contains("") else { return "" }
        let names = kinds.sorted().map { " -iname \(ShellText.quoted("*.\($0)"))" }.joined(separator: " -o")
        return kinds.count == 1 ? names : " \\(\(names) \\)"
    }

    /// A name for a table in `path`.
    private static func freeTable(_ path: String) -> String {
        PathText.join(path, (try? SystemCall.status(PathText.join(path, "clips.csv"))) == nil ? "clips.csv" : "labels.csv")
    }

    /// "cat, dog, ...".
    private static func list(_ names: [String]) -> String {
        names.prefix(4).map(\.printable).joined(separator: ", ") + (names.count > 4 ? ", ..." : "")
    }

    // MARK: - Files

    static let expected = "expected a folder with one folder per class, or a table (.csv, .tsv, .txt)"

    /// The error for a file that is not a table.
    static func error(forFile path: String) -> VidclassError {
        switch PathText.fileExtension(path) {
        case "xlsx", "xls", "ods", "numbers":
            return .file(path, "\(expected), found a workbook", advice: ["Save its sheet as CSV in a spreadsheet, and name that file."])
        case "json":
            return .file(path, "\(expected), found a configuration?", advice: ["Name a configuration with --config."])
        case "zip", "tar", "gz", "tgz", "bz2", "xz", "7z", "rar":
            return .file(path, "\(expected), found an archive", advice: ["Unpack it, and name the folder."])
        default:
            guard let format = ClipFormat(candidate: path) else { return .file(path, expected) }
            return .file(
                path, "\(expected), found \(count([format]))",
                advice: ["Put the clips of each class into a folder of their own, and name the folder above them:"]
                    + layout("DATA", ["CLASS1/\(PathText.name(path))", "CLASS2/..."])
                    + ["To see what is in this one:", "  " + ShellText.vidclass("inspect", ShellText.path(path))])
        }
    }

    // MARK: - Words

    /// Example paths below `path`, as lines.
    private static func layout(_ path: String, _ files: [String]) -> [String] { files.map { "  " + PathText.join(path, $0) } }

    /// "3 videos", "one clip".
    private static func count(_ formats: [ClipFormat]) -> String {
        let kinds = Set(formats)
        let noun = kinds == [.video] ? "video" : kinds == [.sound] ? "sound" : kinds == [.pictures] ? "folder of pictures" : "clip"
        let several = noun == "folder of pictures" ? "folders of pictures" : noun + "s"
        return formats.count == 1 ? "one \(noun)" : "\(formats.count) \(several)"
    }

    private static func components(_ id: String) -> [String] {
        id.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    }
}
