// Other targets get the C library with `import VidSystem`.
@_exported import Glibc

/// The few system calls that reading and writing files need, with errors that name the file.
package enum SystemCall {
    /// The system's text for an `errno` code (by default that of the last failed call): "No space left on device".
    package static func reason(_ code: CInt = errno) -> String { String(cString: strerror(code)) }

    /// Replaces this process by another program, with the same environment.
    ///
    /// - Returns: the error's number; it returns only if that fails.
    package static func replaceProcess(_ program: String, _ arguments: [String]) -> CInt {
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        execv(program, &words)
        return errno
    }

    /// The error for a call on `path` that failed with `errno`: `.missingInput` if nothing is there, otherwise `.inputOutput`.
    package static func error(_ action: String, _ path: String) -> VidclassError {
        let code = errno
        if code == ENOENT || code == ENOTDIR {
            if let advice = NetworkAddress.advice(path) { return .file(path, advice, kind: .missingInput) }
            // The replacement character stands for bytes that are not UTF-8; no such name reaches the system as it is.
            let isText = !path.unicodeScalars.contains("\u{FFFD}")
            return .file(
                path, isText ? "no such file or folder" : "no such file or folder, or a name that is not valid UTF-8: rename the file",
                kind: .missingInput)
        }
        return .file(path, "cannot \(action): \(reason(code))", kind: .inputOutput)
    }

    /// Refuses an empty path, and a path that the system would cut off at its first NUL.
    package static func checkPath(_ path: String) throws {
        guard !path.isEmpty else { throw VidclassError(.missingInput, "an empty path names no file") }
        guard !path.utf8.contains(0) else { throw VidclassError.file(path, "a path cannot hold a NUL character") }
    }

    /// Repeats `call` while a signal interrupts it.
    package static func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
        while true {
            let result = call()
            if result == -1, errno == EINTR { continue }
            return result
        }
    }

    /// Writes all of `bytes` to a file at `offset`; continues after interrupted and partial writes.
    ///
    /// Returns 0, or the `errno` of the write that failed.
    package static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: CInt, at offset: Int, calls: FileCalls = .posix
    ) -> CInt {
        writeAll(bytes) { calls.write(descriptor, $0, $1, offset + $2) }
    }

    /// Writes all of `bytes` to a pipe, socket or terminal.
    ///
    /// Returns 0, or the `errno` of the write that failed.
    package static func write(_ bytes: UnsafeRawBufferPointer, toStream descriptor: CInt) -> CInt {
        writeAll(bytes) { bytes, count, _ in Glibc.write(descriptor, bytes, count) }
    }

    private static func writeAll(
        _ bytes: UnsafeRawBufferPointer, _ write: (_ bytes: UnsafeRawPointer?, _ count: Int, _ done: Int) -> Int
    ) -> CInt {
        var done = 0
        while done < bytes.count {
            let count = retrying { write(bytes.baseAddress.map { $0 + done }, bytes.count - done, done) }
            guard count > 0 else { return count == 0 ? ENOSPC : errno }
            done += count
        }
        return 0
    }

    /// Whether there is something at `path`, after following links.
    package static func exists(_ path: String) -> Bool {
        var raw = stat()
        return !path.isEmpty && !path.utf8.contains(0) && stat(path, &raw) == 0
    }

    /// Whether there is something at `path`, after following links; and if it is a regular file that no link stands for, its status.
    package static func look(at path: String) -> (isThere: Bool, file: FileStatus?) {
        var raw = stat()
        guard !path.isEmpty, !path.utf8.contains(0), lstat(path, &raw) == 0 else { return (false, nil) }
        let status = FileStatus(raw)
        switch status.kind {
        case .file: return (true, status)
        case .folder: return (true, nil)
        case .other: return (stat(path, &raw) == 0, nil)
        }
    }

    /// The status of `path`. A symbolic link is followed, or has the kind `.other`.
    package static func status(_ path: String, followingLink: Bool = true) throws -> FileStatus {
        try checkPath(path)
        var raw = stat()
        guard (followingLink ? stat(path, &raw) : lstat(path, &raw)) == 0 else { throw error("read its status", path) }
        return FileStatus(raw)
    }
}

/// The system calls of a save, so that tests can make them fail. Each sets `errno` like the real one.
package struct FileCalls: Sendable {
    package typealias Write = @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ offset: Int) -> Int

    package var write: Write
    package var sync: @Sendable (_ descriptor: Int32) -> Int32
    package var rename: @Sendable (_ from: String, _ to: String) -> Int32

    package init(
        write: @escaping Write, sync: @escaping @Sendable (_ descriptor: Int32) -> Int32,
        rename: @escaping @Sendable (_ from: String, _ to: String) -> Int32
    ) {
        self.write = write
        self.sync = sync
        self.rename = rename
    }

    /// The real calls.
    package static let posix = FileCalls(
        write: { pwrite($0, $1, $2, off_t($3)) }, sync: { fsync($0) }, rename: { Glibc.rename($0, $1) })

    /// The real calls without waiting for the disk: for files that are verified when they are read and can be made again.
    package static let unsynced = FileCalls(write: posix.write, sync: { _ in 0 }, rename: posix.rename)
}
