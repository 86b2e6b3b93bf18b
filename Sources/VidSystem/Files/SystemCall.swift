import Glibc

/// The few calls to the system that reading and writing files need, with errors that name the file.
package enum SystemCall {
    /// The system's words for an `errno` code (the last failed call's, where none is given): "No space left on device".
    package static func reason(_ code: CInt = errno) -> String { String(cString: strerror(code)) }

    /// The error of a failed call on `path`, by `errno`: 66 for what is not there, 74 for the rest.
    package static func error(_ action: String, _ path: String) -> VidclassError {
        let code = errno
        if code == ENOENT || code == ENOTDIR { return .file(path, "no such file or folder", kind: .missingInput) }
        return .file(path, "cannot \(action): \(reason(code))", kind: .inputOutput)
    }

    /// Refuses a path that the system would cut off at its first NUL.
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

    /// Writes all of `bytes` at `offset`, going on after a write that was interrupted or took only a part of them.
    ///
    /// Returns 0, or the `errno` of the write that failed.
    package static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: CInt, at offset: Int, calls: FileCalls = .posix
    ) -> CInt {
        var done = 0
        while done < bytes.count {
            let count = retrying {
                calls.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, offset + done)
            }
            guard count > 0 else { return count == 0 ? ENOSPC : errno }
            done += count
        }
        return 0
    }

    /// Writes all of `bytes` to a pipe, socket or terminal.
    ///
    /// Returns 0, or the `errno` of the write that failed.
    package static func write(_ bytes: UnsafeRawBufferPointer, toStream descriptor: CInt) -> CInt {
        var done = 0
        while done < bytes.count {
            let count = retrying { systemWrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done) }
            guard count > 0 else { return count == 0 ? ENOSPC : errno }
            done += count
        }
        return 0
    }

    static func linkFile(_ path: String, _ other: String) -> CInt { link(path, other) }

    /// What `path` is; a symbolic link is what it leads to, or, not followed, `.other`.
    package static func status(_ path: String, followingLink: Bool = true) throws -> FileStatus {
        try checkPath(path)
        var raw = stat()
        guard (followingLink ? stat(path, &raw) : lstat(path, &raw)) == 0 else { throw error("look at it", path) }
        return FileStatus(raw)
    }
}

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    Glibc.write(descriptor, bytes, count)
}
