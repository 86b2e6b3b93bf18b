import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that takes its name only when it is whole and on the disk; until then a file of that name stays as it was.
///
/// Bytes go to a temporary file in the same folder. `commit` syncs it, renames it over `path` and syncs the folder, in
/// this order, so that after a crash or a loss of power the name holds the old file or the new one. A sync that fails
/// fails the save and is not tried again: the kernel may have dropped the pages, and a second call would then report
/// success for them. Whatever fails, the temporary file is removed.
package final class AtomicFile {
    package let path: String
    /// Where the bytes are until `commit`: `.<name>.<process>-<number>.tmp` in the folder of `path`.
    package let temporary: String
    private let calls: FileCalls
    private var descriptor: Int32

    private static let nextNumber = Atomic<Int>(0)

    /// Makes the temporary file; throws `.inputOutput` where the folder does not allow it.
    package init(_ path: String, calls: FileCalls = .posix) throws {
        self.path = path
        self.calls = calls
        let (folder, name) = AtomicFile.split(path)
        var candidate = ""
        var descriptor: Int32 = -1
        repeat {
            let number = AtomicFile.nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
            candidate = "\(folder)/.\(name).\(getpid())-\(number).tmp"
            descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        } while descriptor < 0 && errno == EEXIST
        guard descriptor >= 0 else {
            throw VidclassError(.inputOutput, "\(path): cannot be written: \(VidclassError.text(errno: errno))")
        }
        temporary = candidate
        self.descriptor = descriptor
    }

    deinit { discard() }

    /// Writes a whole file: makes it, hands it to `body`, commits it; removes it where `body` or the commit throws.
    package static func write(to path: String, calls: FileCalls = .posix, _ body: (AtomicFile) throws -> Void) throws {
        let file = try AtomicFile(path, calls: calls)
        defer { file.discard() }
        try body(file)
        try file.commit()
    }

    /// Appends `bytes`; a write that takes only part of them is gone on with.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        precondition(descriptor >= 0, "\(path): written to after it was committed or discarded")
        var done = 0
        while done < bytes.count {
            let count = calls.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count > 0 {
                done += count
            } else if count == 0 || errno != EINTR {
                throw failure(count == 0 ? ENOSPC : errno, "writing")
            }
        }
    }

    /// Appends `bytes`.
    package func write(_ bytes: some Collection<UInt8>) throws {
        let isContiguous: Void? = try bytes.withContiguousStorageIfAvailable { try write(UnsafeRawBufferPointer($0)) }
        if isContiguous == nil { try Array(bytes).withUnsafeBytes { try write($0) } }
    }

    /// Sync, rename, sync the folder. Nothing can be written after it.
    package func commit() throws {
        precondition(descriptor >= 0, "\(path): committed twice, or after it was discarded")
        guard calls.sync(descriptor) == 0 else { throw failure(errno, "syncing") }
        let status = close(descriptor)
        descriptor = -1
        guard status == 0 else { throw failure(errno, "closing") }
        guard calls.rename(temporary, path) == 0 else { throw failure(errno, "renaming") }
        try AtomicFile.syncFolder(of: path, calls: calls)
    }

    /// Gives `temporary`, a finished file in the same folder, the name `path`, as durably as `commit`.
    ///
    /// Where it fails before the renaming, `temporary` stays.
    package static func publish(_ temporary: String, as path: String, calls: FileCalls = .posix) throws {
        let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw VidclassError(.inputOutput, "\(temporary): cannot be opened: \(VidclassError.text(errno: errno))")
        }
        let status = calls.sync(descriptor)
        let code = errno
        close(descriptor)
        guard status == 0 else {
            throw VidclassError(.inputOutput, "\(path): syncing failed: \(VidclassError.text(errno: code))")
        }
        guard calls.rename(temporary, path) == 0 else {
            throw VidclassError(.inputOutput, "\(path): renaming failed: \(VidclassError.text(errno: errno))")
        }
        try syncFolder(of: path, calls: calls)
    }

    private func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink(temporary)
    }

    private func failure(_ code: Int32, _ action: String) -> VidclassError {
        if descriptor < 0 { unlink(temporary) } else { discard() }
        return VidclassError(.inputOutput, "\(path): \(action) failed: \(VidclassError.text(errno: code)); it is as it was before")
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = slash == path.startIndex ? "/." : String(path[..<slash])
        return (folder, String(path[path.index(after: slash)...]))
    }

    /// Makes the new name last through a loss of power. File systems that cannot sync a folder say EINVAL.
    private static func syncFolder(of path: String, calls: FileCalls) throws {
        let folder = split(path).folder
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw VidclassError(.inputOutput, "\(folder): cannot be synced: \(VidclassError.text(errno: errno))")
        }
        defer { close(descriptor) }
        guard calls.sync(descriptor) == 0 || errno == EINVAL else {
            throw VidclassError(.inputOutput, "\(folder): syncing failed: \(VidclassError.text(errno: errno))")
        }
    }
}

/// The system calls of a save, so that tests can have them fail. Each sets `errno` as the real one does.
package struct FileCalls: Sendable {
    package var write: @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int
    package var sync: @Sendable (_ descriptor: Int32) -> Int32
    package var rename: @Sendable (_ from: String, _ to: String) -> Int32

    package init(
        write: @escaping @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int,
        sync: @escaping @Sendable (_ descriptor: Int32) -> Int32, rename: @escaping @Sendable (_ from: String, _ to: String) -> Int32
    ) {
        self.write = write
        self.sync = sync
        self.rename = rename
    }

    /// The real ones.
    package static let posix = FileCalls(
        write: { systemWrite($0, $1, $2) }, sync: { fsync($0) }, rename: { systemRename($0, $1) })
}

/// Names that `AtomicFile`'s and `FileCalls`'s own members hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int { write(descriptor, bytes, count) }
private func systemRename(_ from: String, _ to: String) -> Int32 { rename(from, to) }
