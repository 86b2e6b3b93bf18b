#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reading a file that must be small.
enum SmallFile {
    /// The whole content of the regular file at `path`, refused unread when it is larger than `limit` bytes.
    static func read(_ path: String, limit: Int) throws(ConfigError) -> [UInt8] {
        // Not blocking: a pipe without a writer would keep us here.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw ConfigError(
                code == ENOENT || code == ENOTDIR ? .missingFile : .inputOutput, source: path, message: reason("cannot open", code))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ConfigError(.inputOutput, source: path, message: reason("cannot read", errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw ConfigError(
                source: path, message: "expected a config file, found \(isFolder ? "a folder" : "something that is no regular file")")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress.map { $0 + count }, $0.count - count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw ConfigError(.inputOutput, source: path, message: reason("cannot read", errno)) }
            if got == 0 { break }
            count += got
        }
        guard count <= limit else {
            throw ConfigError(source: path, message: "a config file has at most \(limit) bytes; this one has more")
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private static func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer, count)
        #elseif canImport(Musl)
            Musl.read(descriptor, buffer, count)
        #else
            Darwin.read(descriptor, buffer, count)
        #endif
    }

    private static func reason(_ action: String, _ code: Int32) -> String {
        "\(action): \(strerror(code).map { String(cString: $0) } ?? "error \(code)")"
    }
}
