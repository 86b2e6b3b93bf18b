import VidSystem

/// One file to pack.
struct PackItem: Sendable, Equatable {
    /// The path relative to the source folder; the file's name if the source is a file.
    let id: String
    let source: String
    let destination: String
    /// By the name, or by the content where the name does not tell; when the file is packed, its content decides.
    let format: ClipFormat

    /// All clips in and below `source`, sorted, with their destinations: the same folders, the extension replaced by `.bin`.
    /// If that would give two files one name (`a.mp4` and `a.avi`), each keeps its own extension: `a.mp4.bin`.
    ///
    /// If `source` is a file, a part of one, or one folder of pictures, it goes to `destination` itself if that ends in `.bin`, else into that folder.
    static func all(source: String, destination: String) throws -> (items: [PackItem], otherFiles: [String]) {
        let address = try ClipPath(checking: source)
        let status = try SystemCall.status(address.file)
        guard status.kind == .folder, address.segment == nil, (try? FrameFolder(source)) == nil else {
            let format = try ClipFormat(existing: address.file)
            let name = PathText.name(source)
            let target =
                PathText.fileExtension(destination) == "bin"
                ? destination : PathText.join(destination, address.segment == nil ? replacingExtension(name) : address.stem + ".bin")
            try refuseOverwriting(source, target)
            return ([PackItem(id: name, source: source, destination: target, format: format)], [])
        }
        let inside = Folder.resolved(destination)
        let root = Folder.resolved(source)
        guard inside != root, !inside.hasPrefix(root + "/") else {
            throw VidclassError(
                .usage, "\(destination.printable): the destination is inside the source \(source.printable); choose a folder outside of it")
        }
        let walk = try FolderWalk(source)
        let clips = walk.clips.sorted { PathText.precedes($0.id, $1.id) }
        let others = walk.otherFiles.sorted(by: PathText.precedes)

        var uses: [[UInt8]: Int] = [:]
        for clip in clips { uses[Array(replacingExtension(clip.id).utf8), default: 0] += 1 }
        var taken = Set<[UInt8]>()
        let items = try clips.map { clip in
            let id = clip.id
            var name = replacingExtension(id)
            if uses[Array(name.utf8), default: 0] > 1 { name = id + ".bin" }
            let target = PathText.join(destination, name)
            guard taken.insert(Array(name.utf8)).inserted else {
                throw VidclassError.file(source, "two files would both become \(name.printable); rename \(id.printable)")
            }
            let path = PathText.join(source, id)
            try refuseOverwriting(path, target)
            return PackItem(id: id, source: path, destination: target, format: clip.format)
        }
        return (items, others)
    }

    /// `id` with `.bin` for its extension; after its whole name if that does not end in a clip's extension.
    private static func replacingExtension(_ id: String) -> String {
        let folder = PathText.parent(id)
        let name = (ClipFormat(name: id) == nil ? PathText.name(id) : PathText.stem(id)) + ".bin"
        return folder == "." ? name : PathText.join(folder, name)
    }

    private static func refuseOverwriting(_ source: String, _ target: String) throws {
        if let a = try? SystemCall.status(ClipPath.file(source)).identity, let b = try? SystemCall.status(target).identity, a == b {
            throw VidclassError(.usage, "\(target.printable) is both source and destination; choose another destination")
        }
    }
}
