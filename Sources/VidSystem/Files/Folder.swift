/// Lists, makes and syncs folders.
package enum Folder {
    /// The names in `path`, sorted by bytes, without `.` and `..`. Names that are not valid UTF-8 are returned as `unreadable`, with
    /// replacement characters.
    package static func names(_ path: String) throws -> (names: [String], unreadable: [String]) {
        try SystemCall.checkPath(path)
        guard let handle = opendir(path) else { throw SystemCall.error("list it", path) }
        defer { closedir(handle) }
        var names: [String] = []
        var unreadable: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(handle) else {
                guard errno == 0 else { throw SystemCall.error("list it", path) }
                break
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if let name = String(validating: bytes, as: UTF8.self) {
                if name != ".", name != ".." { names.append(name) }
            } else {
                unreadable.append(String(decoding: bytes, as: UTF8.self))
            }
        }
        names.sort(by: PathText.precedes)
        unreadable.sort(by: PathText.precedes)
        return (names, unreadable)
    }

    /// Makes `path` and its missing parent folders, durably. An existing folder is left unchanged.
    ///
    /// - Returns: whether the folder is new.
    @discardableResult
    package static func make(_ path: String, calls: FileCalls = .posix) throws -> Bool {
        if try makeNew(path, calls: calls) { return true }
        guard (try? SystemCall.status(path))?.kind == .folder else {
            throw VidclassError.file(path, "cannot make this folder: \(SystemCall.reason(EEXIST))", kind: .inputOutput)
        }
        return false
    }

    /// Makes `path` and its missing parent folders, durably.
    ///
    /// - Returns: false if the name already exists, even if another task made it just now.
    package static func makeNew(_ path: String, calls: FileCalls = .posix) throws -> Bool {
        try SystemCall.checkPath(path)
        let parent = PathText.parent(path)
        var status = mkdir(path, 0o777)
        if status != 0, errno == ENOENT, parent != path {
            try make(parent, calls: calls)
            status = mkdir(path, 0o777)
        }
        guard status == 0 else {
            if errno == EEXIST { return false }
            throw VidclassError.file(path, "cannot make this folder: \(SystemCall.reason())", kind: .inputOutput)
        }
        // guard: new-folder-synced-above
        try sync(parent, calls: calls)
        return true
    }

    /// Makes the names in `path` durable, so that they survive a loss of power. File systems that cannot sync a folder return EINVAL.
    package static func sync(_ path: String, calls: FileCalls = .posix) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw VidclassError.file(path, "cannot be synced: \(SystemCall.reason())", kind: .inputOutput)
        }
        defer { close(descriptor) }
        guard calls.sync(descriptor) == 0 || errno == EINVAL else {
            throw VidclassError.file(path, "syncing failed: \(SystemCall.reason())", kind: .inputOutput)
        }
    }

    /// The path without symbolic links, for comparison; `path` itself if it cannot be resolved.
    package static func resolved(_ path: String) -> String {
        guard let raw = realpath(path, nil) else { return path }
        defer { free(raw) }
        return String(cString: raw)
    }
}
