import VidTensor

/// What lies in and below a folder, hidden names aside, each folder's names in the order of their bytes.
///
/// Symbolic links are followed, but never back into a folder that is being walked.
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

    /// Walks through the folder `path`, which reports call `id`.
    init(_ path: String, id: String = "") throws { try walk(path, id, above: []) }

    private mutating func walk(_ path: String, _ id: String, above: [FileStatus.Identity]) throws {
        let identity = try SystemCall.status(path).identity
        guard !above.contains(identity) else {
            linksBack.append(id)
            return
        }
        guard above.count < 64 else { throw VidclassError.file(path, "folders are nested more than 64 deep") }
        let (names, unreadable) = try Folder.names(path)
        otherFiles += unreadable.map { PathText.join(id, $0) }
        for name in names where !PathText.isHidden(name) {
            let child = PathText.join(path, name)
            let childID = PathText.join(id, name)
            if (try? SystemCall.status(child))?.kind == .folder {
                try walk(child, childID, above: above + [identity])
            } else if ClipFormat(path: name) != nil {
                clips.append(Clip(path: child, id: childID))
            } else {
                otherFiles.append(childID)
            }
        }
    }
}
