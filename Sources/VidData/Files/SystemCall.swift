import VidTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The few calls to the system that reading and writing files need, with errors that name the file.
enum SystemCall {
    /// What the last failed call said.
    static var reason: String { String(cString: strerror(errno)) }

    /// The error of a failed call on `path`, by `errno`: 66 for what is not there, 74 for the rest.
    static func error(_ action: String, _ path: String) -> VidclassError {
        let code = errno
        if code == ENOENT || code == ENOTDIR { return .file(path, "no such file or folder", kind: .missingInput) }
        return .file(path, "cannot \(action): \(String(cString: strerror(code)))", kind: .inputOutput)
    }

    /// Refuses a path that the system would cut off at its first NUL.
    static func checkPath(_ path: String) throws {
        guard !path.isEmpty else { throw VidclassError(.missingInput, "an empty path names no file") }
        guard !path.utf8.contains(0) else { throw VidclassError.file(path, "a path cannot hold a NUL character") }
    }

    /// Repeats `call` while a signal interrupts it.
    static func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result == -1, errno == EINTR { continue }
            return result
        }
    }

    /// What `path` is, following symbolic links.
    static func status(_ path: String) throws -> FileStatus {
        try checkPath(path)
        var raw = stat()
        guard stat(path, &raw) == 0 else { throw error("look at it", path) }
        return FileStatus(raw)
    }
}

/// What the file system says about a file.
struct FileStatus: Sendable {
    enum Kind: Sendable { case file, folder, other }

    /// A file's identity: the same for all its names.
    struct Identity: Hashable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    let kind: Kind
    let size: Int
    let identity: Identity
    /// Time of the last change of the content, nanoseconds since 1970.
    let modified: Int64

    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        size = Int(raw.st_size)
        identity = Identity(device: UInt64(raw.st_dev), inode: UInt64(raw.st_ino))
        #if canImport(Darwin)
            let time = raw.st_mtimespec
        #else
            let time = raw.st_mtim
        #endif
        modified = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
