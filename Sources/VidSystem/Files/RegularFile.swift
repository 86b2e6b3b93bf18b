/// A regular file opened for reading at any position.
///
/// It is read with `pread` rather than mapped into memory, so that a file that another process truncates causes an error instead of
/// a signal. The descriptor keeps the opened file even if a newer one replaces its name.
package final class RegularFile: Sendable {
    package let path: String
    /// The file's status when it was opened.
    package let status: FileStatus
    /// The file's size in bytes when it was opened.
    package var size: Int { status.size }
    /// Stays open as long as this value exists; its position is never used.
    package let descriptor: Int32

    /// Throws `.missingInput` if nothing is there, `.badData` for a folder, pipe or device (without waiting for a pipe's
    /// writer), and `.inputOutput` otherwise, for example for a symbolic link with `followingLink: false`.
    package init(_ path: String, followingLink: Bool = true) throws {
        try SystemCall.checkPath(path)
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followingLink ? 0 : O_NOFOLLOW)
        let descriptor = SystemCall.retrying { open(path, flags) }
        guard descriptor >= 0 else { throw SystemCall.error("open it", path) }
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else {
            let error = SystemCall.error("read its status", path)
            close(descriptor)
            throw error
        }
        let status = FileStatus(raw)
        guard status.kind == .file else {
            close(descriptor)
            throw VidclassError.file(path, "expected a file, found \(status.kind == .folder ? "a folder" : "a pipe, socket or device")")
        }
        self.path = path
        self.status = status
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Fills `bytes` from `offset`. A file that has become shorter is an error.
    package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        precondition(offset >= 0 && offset + bytes.count <= size, "\(bytes.count) bytes at \(offset) of a file of \(size)")
        var done = 0
        while done < bytes.count {
            let count = SystemCall.retrying {
                pread(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            }
            guard count >= 0 else { throw SystemCall.error("read it", path) }
            guard count > 0 else {
                throw VidclassError.file(
                    path, "was cut short at byte \(offset + done) while it was being read", kind: .inputOutput)
            }
            done += count
        }
    }

    /// The `count` bytes from `offset`.
    package func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        var error: (any Error)?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
            do { try read(into: target, at: offset) } catch let failure { error = failure }
            initialized = error == nil ? count : 0
        }
        if let error { throw error }
        return bytes
    }

    /// The content of a file of at most `limit` bytes. A larger file is refused without being read.
    package static func contents(_ path: String, limit: Int) throws -> [UInt8] {
        let file = try RegularFile(path)
        guard file.size <= limit else {
            throw VidclassError.file(path, "it has \(file.size) bytes; at most \(limit) are read")
        }
        return try file.bytes(at: 0, count: file.size)
    }

    /// Reads `range` in order and passes it to `body` in blocks of 1 MiB, which fit into the processor's cache. The last block may
    /// be shorter.
    package func forEachBlock(in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: min(1 << 20, max(range.count, 1)), alignment: 64)
        defer { block.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let part = UnsafeMutableRawBufferPointer(rebasing: block[..<min(block.count, range.upperBound - offset)])
            try read(into: part, at: offset)
            try body(UnsafeRawBufferPointer(part))
            offset += part.count
        }
    }
}
