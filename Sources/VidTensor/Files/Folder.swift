#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a folder holds.
package enum Folder {
    /// The names in `path`, sorted by bytes, without `.` and `..`. Names that are no UTF-8 come back apart, made readable.
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

    /// Makes `path` and the folders above it.
    package static func make(_ path: String) throws {
        try SystemCall.checkPath(path)
        if mkdir(path, 0o777) == 0 { return }
        let code = errno
        if code == EEXIST, (try? SystemCall.status(path))?.kind == .folder { return }
        let parent = PathText.parent(path)
        if code == ENOENT, parent != path {
            try make(parent)
            if mkdir(path, 0o777) == 0 { return }
            // Another task may have made it meanwhile.
            if errno == EEXIST, (try? SystemCall.status(path))?.kind == .folder { return }
        }
        throw VidclassError.file(path, "cannot make this folder: \(SystemCall.reason(code))", kind: .inputOutput)
    }

    /// The path without symbolic links, for comparing; `path` itself where it cannot be resolved.
    package static func resolved(_ path: String) -> String {
        guard let raw = realpath(path, nil) else { return path }
        defer { free(raw) }
        return String(cString: raw)
    }
}
