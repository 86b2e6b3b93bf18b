import VidSystem
import VidTensor

/// What lies in and below a folder, hidden names aside, each folder's names in the order of their bytes.
///
/// Symbolic links are followed, wherever they lead, but no folder is walked through twice: not those above, which would never end,
/// nor others, of which links in a few folders can make more than there are atoms.
struct FolderWalk {
    struct Clip {
        let path: String
        /// The path below the folder, after the folder's own name in reports.
        let id: String
    }

    /// Whatever is named like a clip and no folder: a pipe or a broken link is a bad clip, and opening it says why.
    private(set) var clips: [Clip] = []
    /// The ids of what is no clip, names that are no UTF-8 among them.
    private(set) var otherFiles: [String] = []
    /// The ids of folders that were passed over, being links to one above them.
    private(set) var linksBack: [String] = []
    /// The ids of folders that were passed over, having been walked through by another name.
    private(set) var repeated: [String] = []
    /// Links that lead out of `root`.
    private(set) var linksOut: [FolderLink] = []
    private var seen: Set<FileStatus.Identity> = []
    private let root: String

    /// Walks through the folder `path`, which reports call `id`.
    ///
    /// - Parameters:
    ///   - root: the folder that links are to be told of which lead out of it, without links; by default `path`.
    ///   - above: folders above `path`, which links may not lead back to either: all that is in them would be below `path`.
    init(_ path: String, id: String = "", root: String? = nil, above: [String] = []) throws {
        self.root = root ?? Folder.resolved(path)
        try walk(path, id, above: above.map { try SystemCall.status($0).identity })
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
        for name in names where !PathText.isHidden(name) {
            let child = PathText.join(path, name)
            let childID = PathText.join(id, name)
            let (kind, link) = FolderLink.look(child, id: childID, root: root)
            if kind == .folder {
                if let link { linksOut.append(link) }
                try walk(child, childID, above: above + [identity])
            } else if ClipFormat(path: name) != nil {
                if let link { linksOut.append(link) }
                clips.append(Clip(path: child, id: childID))
            } else {
                otherFiles.append(childID)
            }
        }
    }
}

/// A symbolic link that leads out of a folder.
struct FolderLink {
    let id: String
    /// Where it leads.
    let target: String

    /// What is at `path`, links followed (nil: nothing), and the link that it is where that leads out of `root`.
    static func look(_ path: String, id: String, root: String) -> (kind: FileStatus.Kind?, link: FolderLink?) {
        guard let own = try? SystemCall.status(path, followingLink: false) else { return (nil, nil) }
        guard own.kind == .other, let kind = (try? SystemCall.status(path))?.kind else {
            return (own.kind, nil)
        }
        let target = Folder.resolved(path)
        let isInside = target == root || target.hasPrefix(root == "/" ? root : root + "/")
        return (kind, isInside ? nil : FolderLink(id: id, target: target))
    }

    /// What users are told of links that were followed; nil where there are none.
    static func note(_ links: [FolderLink]) -> String? {
        guard let first = links.first else { return nil }
        let count = links.count == 1 ? "1 link leads" : "\(links.count) links lead"
        return
            "\(count) out of the data folder and \(links.count == 1 ? "was" : "were") followed, \(first.id.printable) to \(first.target.printable) for one"
    }
}
