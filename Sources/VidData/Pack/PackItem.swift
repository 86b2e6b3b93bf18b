import VidSystem

/// One file to pack.
struct PackItem: Sendable, Equatable {
    /// The path relative to the source folder; the file's name if the source is a file.
    let id: String
    let source: String
    let destination: String

    /// All clips in and below `source`, sorted, with their destinations: the same folders, the extension replaced by `.bin`.
    /// If that would give two files one name (`a.mp4` and `a.avi`), each keeps its own extension: `a.mp4.bin`.
    ///
    /// If `source` is a file, it goes to `destination` itself if that ends in `.bin`, else into that folder.
    static func all(source: String, destination: String) throws -> (items: [PackItem], otherFiles: [String]) {
        let status = try SystemCall.status(source)
        guard status.kind == .folder else {
            guard ClipFormat(path: source) != nil else {
                throw VidclassError.file(source, "not a clip; expected a video, .npy or .bin file")
            }
            let name = PathText.name(source)
            let target =
                PathText.fileExtension(destination) == "bin" ? destination : PathText.join(destination, PathText.stem(source) + ".bin")
            try refuseOverwriting(source, target)
            return ([PackItem(id: name, source: source, destination: target)], [])
        }
        let inside = Folder.resolved(destination)
        let root = Folder.resolved(source)
        guard inside != root, !inside.hasPrefix(root + "/") else {
            throw VidclassError(
                .usage, "\(destination.printable): the destination is inside the source \(source.printable); choose a folder outside of it")
        }
        let walk = try FolderWalk(source)
        let ids = walk.clips.map(\.id).sorted(by: PathText.precedes)
        let others = walk.otherFiles.sorted(by: PathText.precedes)

        var uses: [[UInt8]: Int] = [:]
        for id in ids { uses[Array(replacingExtension(id).utf8), default: 0] += 1 }
        var taken = Set<[UInt8]>()
        let items = try ids.map { id in
            var name = replacingExtension(id)
            if uses[Array(name.utf8), default: 0] > 1 { name = id + ".bin" }
            let target = PathText.join(destination, name)
            guard taken.insert(Array(name.utf8)).inserted else {
                throw VidclassError.file(source, "two files would both become \(name.printable); rename \(id.printable)")
            }
            let path = PathText.join(source, id)
            try refuseOverwriting(path, target)
            return PackItem(id: id, source: path, destination: target)
        }
        return (items, others)
    }

    private static func replacingExtension(_ id: String) -> String {
        let folder = PathText.parent(id)
        let name = PathText.stem(id) + ".bin"
        return folder == "." ? name : PathText.join(folder, name)
    }

    private static func refuseOverwriting(_ source: String, _ target: String) throws {
        if let a = try? SystemCall.status(source).identity, let b = try? SystemCall.status(target).identity, a == b {
            throw VidclassError(.usage, "\(target.printable) is both source and destination; choose another destination")
        }
    }
}
