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
        if clips.isEmpty { return emptyError(path, walk.otherFiles) }
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
    private static func emptyError(_ path: String, _ others: [String]) -> VidclassError {
        if let error = pictureError(path, others) { return error }
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
        if let above = folderAbove(path) {
            advice.append("If this is the folder of one class, name the folder above it: \(ShellText.quoted(ShellText.path(above)))")
        } else {
            advice.append("Or list them in a CSV file with the columns path and label.")
        }
        return .file(path, "found \(found), but not in class folders", advice: advice)
    }

    /// The folder above `path`, if another folder in it also has clips.
    private static func folderAbove(_ path: String) -> String? {
        let above = [".", ".."].contains(PathText.name(path)) ? PathText.parent(Folder.resolved(path)) : PathText.parent(path)
        let siblings = ((try? Folder.names(above).names) ?? []).filter { !PathText.isHidden($0) }.prefix(200)
        let classes = siblings.lazy.map { PathText.join(above, $0) }.filter { folder in
            (try? SystemCall.status(folder).kind) == .folder
                && hasClips(folder)
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
    static func pictureError(_ path: String, _ others: [String]) -> VidclassError? {
        func pictures(_ files: [String]) -> [String] { files.filter { pictureExtensions.contains(PathText.fileExtension($0)) } }
        guard !pictures(others).isEmpty else { return nil }
        let pictures = pictures((try? FolderWalk(path))?.otherFiles ?? others).sorted(by: PathText.precedes)
        guard let first = pictures.first else { return nil }
        let folders = Set(pictures.map { Array(components($0).dropLast()) })
        let kind = PathText.name(first).split(separator: ".").last.map(String.init) ?? ""
        let found = "found \(pictures.count == 1 ? "one picture" : "\(pictures.count) pictures")"
        let place = folders.count == 1 ? "" : " in \(folders.count) folders"
        let command: String
        if folders.allSatisfy({ $0.count == 2 }) {
            command =
                "for d in \(ShellText.quoted(ShellText.path(path)))/*/*/; do ffmpeg -nostdin -framerate 25 -pattern_type glob "
                + "-i \"$d*.\(kind)\" -c copy \"${d%/}.mkv\"; done"
        } else {
            let folder = ShellText.path(components(first).dropLast().reduce(path, PathText.join))
            command = ShellText.command([
                "ffmpeg", "-nostdin", "-framerate", "25", "-pattern_type", "glob", "-i", PathText.join(folder, "*.\(kind)"), "-c", "copy",
                PathText.join(folder, "clip.mkv"),
            ])
        }
        return .file(
            path, "\(found)\(place), but pictures are not read as clips",
            advice: [
                "If a folder holds the frames of a video, make the video of them, here with 25 frames per second:", "  " + command,
                "The videos belong into one folder per class:",
            ] + layout(path, ["CLASS1/a.mkv", "CLASS2/b.mkv"]))
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
        let noun = kinds == [.video] ? "video" : kinds == [.sound] ? "sound" : "clip"
        return formats.count == 1 ? "one \(noun)" : "\(formats.count) \(noun)s"
    }

    private static func components(_ id: String) -> [String] {
        id.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    }
}
