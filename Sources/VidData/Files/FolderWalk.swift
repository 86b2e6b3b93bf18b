import VidSystem

/// The clips and other files in and below a folder, except hidden ones. The names of each folder are sorted by their bytes.
///
/// A folder of numbered pictures is a clip, if there are no other clips in and below it.
///
/// Symbolic links are followed, but no folder is visited twice: a link to a folder above would never end, and links between a
/// few folders can form an astronomical number of paths.
struct FolderWalk {
    struct Clip {
        let path: String
        /// The path as reports show it: below the folder, after the folder's own id.
        let id: String
        /// By the name, or by the content where the name does not tell.
        let format: ClipFormat
        /// That of its file when it was listed; nil for a folder and for what a link leads to.
        let status: FileStatus?
    }

    /// Folders of pictures, everything with a clip's name that is not a folder, and files of other names that are clips by their content. A pipe or a broken
    /// link with a clip's name counts as a bad clip: opening it gives the reason.
    private(set) var clips: [Clip] = []
    /// The ids of files that are not clips, including names that are not valid UTF-8, and how many of those there are.
    private(set) var otherFiles: [String] = []
    private(set) var invalidNames = 0
    /// The ids of skipped folders that are links to a folder above them.
    private(set) var linksBack: [String] = []
    /// The ids of skipped folders that were already visited under another name.
    private(set) var repeated: [String] = []
    /// The ids of folders that systems make, such as `@eaDir`, which are passed over.
    private(set) var systemFolders: [String] = []
    /// Links that lead out of `root`.
    private(set) var linksOut: [FolderLink] = []
    /// Notes on numbered pictures that are not clips.
    private(set) var pictureNotes: [String] = []
    private var seen: Set<FileStatus.Identity> = []
    private let root: String
    private let id: String

    /// Whether the folder itself is a clip: the only one, then.
    var isClip: Bool { clips.first.map { $0.format == .pictures && $0.id.hasSameBytes(as: id) } ?? false }

    /// The paths of clips whose names are not valid UTF-8, with replacement characters: opening one gives the reason.
    private var unreadableClips: [String] = []

    /// The paths of all clips, sorted by their bytes.
    var clipPaths: [String] { (clips.map(\.path) + unreadableClips).sorted(by: PathText.precedes) }

    /// Walks through the folder `path`, whose id in reports is `id`.
    ///
    /// - Parameters:
    ///   - root: the resolved folder that `linksOut` refers to; by default `path`.
    ///   - above: folders above `path` that links may not lead back to either, because all they contain would appear below `path`.
    init(_ path: String, id: String = "", root: String? = nil, above: [String] = []) throws {
        self.root = root ?? Folder.resolved(path)
        self.id = id
        try walk(path, id, above: above.map { try SystemCall.status($0).identity })
    }

    /// Whether a folder of this name is made by a system, a network drive or an archive, not by people.
    static func isSystemFolder(_ name: String) -> Bool { systemNames.contains(name.lowercased()) }

    private static let systemNames: Set<String> = [
        "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "__macosx", "lost+found", "system volume information",
        "$recycle.bin",
    ]

    /// The note on folders of systems; nil if there are none.
    static func systemNote(_ ids: [String]) -> String? {
        guard let first = ids.first else { return nil }
        let others = ids.count == 1 ? "" : " and \(ids.count - 1) other \(ids.count == 2 ? "folder" : "folders")"
        return "passed over \(first.printable)\(others), which \(ids.count == 1 ? "a system has" : "systems have") made"
    }

    private mutating func walk(_ path: String, _ id: String, above: [FileStatus.Identity]) throws {
        let identity = try SystemCall.status(path).identity
        guard !above.contains(identity) else {
            linksBack.append(id)
            return
        }
        guard seen.insert(identity).inserted else {
            repeated.append(id)
            return
        }
        guard above.count < 64 else { throw VidclassError.file(path, "folders are nested more than 64 deep") }
        let (names, unreadable) = try Folder.names(path)
        otherFiles += unreadable.map { PathText.join(id, $0) }
        invalidNames += unreadable.count
        unreadableClips += unreadable.filter { ClipFormat(name: $0) != nil }.map { PathText.join(path, $0) }
        let clipsBefore = clips.count
        var pictures: [String] = []
        let visible = names.filter { !PathText.isHidden($0) }
        let looks = mapInParallel(visible.count) {
            FolderLink.look(PathText.join(path, visible[$0]), id: PathText.join(id, visible[$0]), root: root)
        }
        for (name, (kind, status, link)) in zip(visible, looks) {
            let child = PathText.join(path, name)
            let childID = PathText.join(id, name)
            if kind == .folder, FolderWalk.isSystemFolder(name) {
                systemFolders.append(childID)
            } else if kind == .folder {
                if let link { linksOut.append(link) }
                try walk(child, childID, above: above + [identity])
            } else if kind == .file, FrameFolder.isPicture(name: name) {
                pictures.append(name)
            } else if let format = ClipFormat(candidate: child, kind) {
                if let link { linksOut.append(link) }
                clips.append(Clip(path: child, id: childID, format: format, status: status))
            } else {
                otherFiles.append(childID)
            }
        }
        try add(pictures, path, id, clips: clips[clipsBefore...])
    }

    /// Decides about the pictures in the folder `path`, in and below which these clips were found.
    private mutating func add(_ pictures: [String], _ path: String, _ id: String, clips found: ArraySlice<Clip>) throws {
        guard !pictures.isEmpty else { return }
        let name = id.isEmpty ? path : id
        var others = pictures
        switch FrameFolder.find(in: path, names: pictures) {
        case .frames(let folder):
            // A note counts those that are skipped.
            let frames = Set(folder.names.map { Array($0.utf8) })
            others.removeAll { frames.contains(Array($0.utf8)) }
            if found.isEmpty {
                clips.append(Clip(path: path, id: id, format: .pictures, status: nil))
            } else if let below = found.first(where: { $0.format == .pictures }) {
                throw VidclassError.file(
                    path,
                    "holds \(folder.count) numbered pictures, and so does \(below.path.printable) below it; expected clips that are not "
                        + "within each other, so move the pictures of one of them")
            } else {
                pictureNotes.append("skipped the \(folder.count) numbered pictures in \(name.printable), because it has other clips")
            }
        // Beside other clips they may be anything.
        case .unclear(let reason) where found.isEmpty: pictureNotes.append("skipped the pictures in \(name.printable): \(reason)")
        case .unclear, .none: break
        }
        otherFiles += others.map { PathText.join(id, $0) }
    }
}

/// A symbolic link that leads out of a folder.
struct FolderLink {
    let id: String
    /// The resolved path it points to.
    let target: String

    /// The kind of file at `path` after following links (nil if nothing is there), its status if it is a file itself, and the link if it
    /// leads out of `root`.
    static func look(_ path: String, id: String, root: String) -> (kind: FileStatus.Kind?, status: FileStatus?, link: FolderLink?) {
        guard let own = try? SystemCall.status(path, followingLink: false) else { return (nil, nil, nil) }
        guard own.kind == .other, let kind = (try? SystemCall.status(path))?.kind else {
            return (own.kind, own.kind == .file ? own : nil, nil)
        }
        let target = Folder.resolved(path)
        let isInside = target == root || target.hasPrefix(root == "/" ? root : root + "/")
        return (kind, nil, isInside ? nil : FolderLink(id: id, target: target))
    }

    /// The note that lists followed links; nil if there are none.
    static func note(_ links: [FolderLink]) -> String? {
        guard let first = links.first else { return nil }
        let count = links.count == 1 ? "1 link that leads" : "\(links.count) links that lead"
        return "followed \(count) out of the data folder, for example \(first.id.printable) to \(first.target.printable)"
    }
}
