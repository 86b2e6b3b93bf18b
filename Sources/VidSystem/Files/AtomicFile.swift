import Synchronization

/// A file that takes its name only when it is whole and on the disk; until then a file of that name stays as it was.
///
/// Bytes go to a temporary file in the same folder. `commit` syncs it, renames it over `path` and syncs the folder, in
/// this order, so that after a crash or a loss of power the name holds the old file or the new one. A sync that fails
/// fails the save and is not tried again: the kernel may have dropped the pages, and a second call would then report
/// success for them. Whatever fails, the temporary file is removed.
package final class AtomicFile {
    package let path: String
    /// Where the bytes are until `commit`: `.vidclass-<process>-<number>.tmp` in the folder of `path` unless another is
    /// given: short, so that a name as long as the file system allows can be written, too.
    package let temporary: String
    /// Bytes appended so far.
    package private(set) var size = 0
    private let calls: FileCalls
    private var descriptor: Int32

    private static let nextNumber = Atomic<Int>(0)

    /// Makes the temporary file, in `temporaryFolder` (on the file system of `path`) or beside `path`; throws `.inputOutput`
    /// where the folder does not allow it.
    package init(_ path: String, temporaryFolder: String? = nil, calls: FileCalls = .posix) throws {
        try SystemCall.checkPath(path)
        self.path = path
        self.calls = calls
        let folder = temporaryFolder ?? PathText.parent(path)
        var candidate = ""
        var descriptor: Int32 = -1
        repeat {
            let number = AtomicFile.nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
            candidate = PathText.join(folder, AtomicFile.temporaryName(process: getpid(), number: number))
            descriptor = SystemCall.retrying { open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
        } while descriptor < 0 && errno == EEXIST
        guard descriptor >= 0 else {
            throw VidclassError.file(path, "cannot be written: \(SystemCall.reason())", kind: .inputOutput)
        }
        temporary = candidate
        self.descriptor = descriptor
    }

    deinit { discard() }

    /// Writes a whole file: makes it, hands it to `body`, commits it; removes it where `body` or the commit throws.
    package static func write(
        to path: String, temporaryFolder: String? = nil, calls: FileCalls = .posix, _ body: (AtomicFile) throws -> Void
    ) throws {
        let file = try AtomicFile(path, temporaryFolder: temporaryFolder, calls: calls)
        defer { file.discard() }
        try body(file)
        try file.commit()
    }

    /// Appends `bytes`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        try write(bytes, at: size)
        size += bytes.count
    }

    /// Appends `bytes`.
    package func write(_ bytes: some Collection<UInt8>) throws {
        let isContiguous: Void? = try bytes.withContiguousStorageIfAvailable { try write(UnsafeRawBufferPointer($0)) }
        if isContiguous == nil { try Array(bytes).withUnsafeBytes { try write($0) } }
    }

    /// Writes `bytes` over what was written at `offset`, such as a header that is known only at the end.
    package func overwrite(_ bytes: [UInt8], at offset: Int) throws {
        precondition(offset >= 0 && offset + bytes.count <= size, "\(path): \(bytes.count) bytes at \(offset) of \(size)")
        try bytes.withUnsafeBytes { try write($0, at: offset) }
    }

    /// Sync, rename, sync the folder. Nothing can be written after it.
    package func commit() throws {
        precondition(descriptor >= 0, "\(path): committed twice, or after it was discarded")
        guard calls.sync(descriptor) == 0 else { throw failure(errno, "syncing") }
        let status = close(descriptor)
        descriptor = -1
        guard status == 0 else { throw failure(errno, "closing") }
        guard calls.rename(temporary, path) == 0 else { throw failure(errno, "renaming") }
        try Folder.sync(PathText.parent(path), calls: calls)
    }

    /// Gives `temporary`, a finished file in the same folder, the name `path`, as durably as `commit`.
    ///
    /// Where it fails before the renaming, `temporary` stays.
    package static func publish(_ temporary: String, as path: String, calls: FileCalls = .posix) throws {
        let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw VidclassError.file(temporary, "cannot be opened: \(SystemCall.reason())", kind: .inputOutput)
        }
        let status = calls.sync(descriptor)
        let code = errno
        close(descriptor)
        guard status == 0 else {
            throw VidclassError.file(path, "syncing failed: \(SystemCall.reason(code))", kind: .inputOutput)
        }
        guard calls.rename(temporary, path) == 0 else {
            throw VidclassError.file(path, "renaming failed: \(SystemCall.reason())", kind: .inputOutput)
        }
        try Folder.sync(PathText.parent(path), calls: calls)
    }

    /// Gives the file at `path` the name `other`, too, in the same folder, in place of what had it. What is written under one
    /// of the names afterwards does not show under the other.
    ///
    /// Where the file system knows no second name, `path` loses its own.
    package static func link(_ path: String, as other: String, calls: FileCalls = .posix) throws {
        let number = nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
        let temporary = PathText.join(PathText.parent(other), temporaryName(process: getpid(), number: number))
        let isLinked = SystemCall.linkFile(path, temporary) == 0
        guard calls.rename(isLinked ? temporary : path, other) == 0 else {
            let code = errno
            if isLinked { unlink(temporary) }
            throw VidclassError.file(other, "cannot be written: \(SystemCall.reason(code))", kind: .inputOutput)
        }
        // Two names of one file already: nothing was renamed.
        if isLinked { unlink(temporary) }
    }

    static func temporaryName(process: Int32, number: Int) -> String { ".vidclass-\(process)-\(number).tmp" }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        precondition(descriptor >= 0, "\(path): written to after it was committed or discarded")
        let code = SystemCall.write(bytes, to: descriptor, at: offset, calls: calls)
        guard code == 0 else { throw failure(code, "writing") }
    }

    private func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink(temporary)
    }

    private func failure(_ code: Int32, _ action: String) -> VidclassError {
        if descriptor < 0 { unlink(temporary) } else { discard() }
        return VidclassError.file(path, "\(action) failed: \(SystemCall.reason(code)); it is as it was before", kind: .inputOutput)
    }
}
