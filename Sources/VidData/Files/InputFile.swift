import VidTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A regular file open for reading at any place; closed when the last reference goes.
final class InputFile {
    let path: String
    let size: Int
    private let descriptor: CInt

    /// Opens `path`. Anything but a regular file (a folder, a FIFO, a device) is refused, and never waited for.
    init(_ path: String) throws {
        try SystemCall.checkPath(path)
        self.path = path
        descriptor = SystemCall.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw SystemCall.error("open it", path) }
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else {
            let error = SystemCall.error("look at it", path)
            close(descriptor)
            throw error
        }
        let status = FileStatus(raw)
        size = status.size
        guard status.kind == .file else {
            close(descriptor)
            throw VidclassError.file(
                path, status.kind == .folder ? "is a folder, not a file" : "is not a regular file (a pipe, socket or device)")
        }
    }

    deinit { close(descriptor) }

    /// Fills `bytes` from `offset` on.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = SystemCall.retrying {
                pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            }
            guard count >= 0 else { throw SystemCall.error("read it", path) }
            guard count > 0 else {
                throw VidclassError.file(path, "ended at byte \(offset + done) while it was read; it had \(size) bytes when opened")
            }
            done += count
        }
    }

    /// The `count` bytes from `offset` on; the caller has checked that the file is that long.
    func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        precondition(offset >= 0 && count >= 0 && offset + count <= size, "\(count) bytes at \(offset) of a file of \(size)")
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try read(into: $0, at: offset) }
        return bytes
    }

    /// The whole of a text file of at most `limit` bytes.
    static func contents(_ path: String, limit: Int) throws -> [UInt8] {
        let file = try InputFile(path)
        guard file.size <= limit else {
            throw VidclassError.file(path, "has \(file.size) bytes; at most \(limit) are read")
        }
        return try file.bytes(at: 0, count: file.size)
    }
}
