#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A regular file opened for reading at any place.
///
/// Read with `pread` rather than mapped: a file that another process cuts short is then an error and no signal. The
/// descriptor stays on the file that was opened, even where a newer one takes its name.
package final class RegularFile: Sendable {
    package let path: String
    /// Bytes in the file when it was opened.
    package let size: Int
    private let descriptor: Int32

    /// Throws `.missingInput` where nothing is there, `.badData` for a folder, pipe or device (which is never waited
    /// for), `.inputOutput` otherwise.
    package init(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { throw VidclassError(.missingInput, "\(path): no such file") }
            throw VidclassError(.inputOutput, "\(path): cannot be opened: \(VidclassError.text(errno: code))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw VidclassError(.inputOutput, "\(path): cannot be looked at: \(VidclassError.text(errno: code))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            let found = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "a pipe, socket or device"
            throw VidclassError.badData(path, "expected a file, found \(found)")
        }
        self.path = path
        self.size = Int(status.st_size)
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Fills `bytes` from `offset` on; a file that has become shorter is an error.
    package func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        precondition(offset >= 0 && offset + bytes.count <= size, "\(bytes.count) bytes at \(offset) of a file of \(size)")
        var done = 0
        while done < bytes.count {
            let count = pread(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw VidclassError(.inputOutput, "\(path): was cut short at byte \(offset + done) while it was being read")
            } else if errno != EINTR {
                throw VidclassError(.inputOutput, "\(path): reading failed: \(VidclassError.text(errno: errno))")
            }
        }
    }

    /// `count` bytes from `offset` on.
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

    /// Passes over `range` of the file in order, a block of at most 1 MiB (a size that stays in the processor's cache) at
    /// a time. A block starts a multiple of its size into the range.
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

extension VidclassError {
    /// The system's words for an `errno` code, such as "No space left on device".
    package static func text(errno code: Int32) -> String { String(cString: strerror(code)) }
}
