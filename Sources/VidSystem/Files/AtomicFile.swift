import Synchronization

/// A file that gets its name only when it is complete and on the disk; until then an existing file of that name is unchanged.
///
/// Bytes go to a temporary file in the same folder. `commit` syncs it, renames it to `path`, then syncs the folder, so that
/// after a crash or a loss of power the name refers to the old file or the new one. If a sync fails, the save fails, and the
/// sync is not tried again: the kernel may have dropped the pages, and a second call would then report success. Whatever
/// fails, the temporary file is removed.
///
/// A device, pipe or socket at `path` is never replaced.
package final class AtomicFile {
    package let path: String
    /// The file that is replaced: `path`, or what it links to.
    private let target: String
    /// The file that contains the bytes until `commit`: `.vidclass-<process>-<number>.tmp`. The name is short so that `path` can
    /// have the longest name that the file system allows.
    package let temporary: String
    /// Bytes appended so far.
    package private(set) var size = 0
    private let calls: FileCalls
    private var descriptor: Int32

    private static let nextNumber = Atomic<Int>(0)

    /// Makes the temporary file in `temporaryFolder`, which must be on the file system of `path`, or else next to the file.
    ///
    /// Throws `.inputOutput` if the folder does not allow it, `.usage` if `path` is a device, pipe or socket.
    ///
    /// - Parameter followingLink: whether a symbolic link at `path` stays and its target is replaced, as for a file that the user
    ///   names. Otherwise the link itself is replaced.
    package init(_ path: String, followingLink: Bool = false, temporaryFolder: String? = nil, calls: FileCalls = .posix) throws {
        self.path = path
        target = try AtomicFile.target(path, followingLink: followingLink)
        self.calls = calls
        let folder = temporaryFolder ?? PathText.parent(target)
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

    /// Writes a whole file: passes it to `body`, then commits it. If either throws, the temporary file is removed.
    package static func write(
        to path: String, followingLink: Bool = false, temporaryFolder: String? = nil, calls: FileCalls = .posix,
        _ body: (AtomicFile) throws -> Void
    ) throws {
        let file = try AtomicFile(path, followingLink: followingLink, temporaryFolder: temporaryFolder, calls: calls)
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

    /// Overwrites earlier bytes at `offset`, for example a header that is known only at the end.
    package func overwrite(_ bytes: [UInt8], at offset: Int) throws {
        precondition(offset >= 0 && offset + bytes.count <= size, "\(path): \(bytes.count) bytes at \(offset) of \(size)")
        try bytes.withUnsafeBytes { try write($0, at: offset) }
    }

    /// Gives the file its name: syncs it, renames it, and syncs the folder. Nothing can be written afterwards.
    package func commit() throws {
        precondition(descriptor >= 0, "\(path): committed twice, or after it was discarded")
        // guard: failing-sync
        guard calls.sync(descriptor) == 0 else { throw failure(errno, "syncing") }
        let status = close(descriptor)
        descriptor = -1
        guard status == 0 else { throw failure(errno, "closing") }
        guard calls.rename(temporary, target) == 0 else { throw failure(errno, "renaming") }
        // guard: folder-synced-after-renaming
        try Folder.sync(PathText.parent(target), calls: calls)
    }

    /// Renames `temporary`, a finished file in the same folder, to `path`, as durably as `commit`.
    ///
    /// If it fails before the renaming, `temporary` remains.
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

    /// Also gives the file at `path` the name `other` in the same folder, replacing any file of that name. A later atomic write
    /// to one of the names does not affect the other.
    ///
    /// If the file system does not support hard links, the file is renamed: `path` no longer exists.
    package static func link(_ path: String, as other: String, calls: FileCalls = .posix) throws {
        let number = nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue
        let temporary = PathText.join(PathText.parent(other), temporaryName(process: getpid(), number: number))
        let isLinked = Glibc.link(path, temporary) == 0
        guard calls.rename(isLinked ? temporary : path, other) == 0 else {
            let code = errno
            if isLinked { unlink(temporary) }
            throw VidclassError.file(other, "cannot be written: \(SystemCall.reason(code))", kind: .inputOutput)
        }
        // If both names already belonged to one file, nothing was renamed.
        if isLinked { unlink(temporary) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        precondition(descriptor >= 0, "\(path): written to after it was committed or discarded")
        let code = SystemCall.write(bytes, to: descriptor, at: offset, calls: calls)
        guard code == 0 else { throw failure(code, "writing") }
    }

    private func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        // guard: temporary-file-removed
        unlink(temporary)
    }

    private func failure(_ code: Int32, _ action: String) -> VidclassError {
        if descriptor < 0 { unlink(temporary) } else { discard() }
        let isThere = (try? SystemCall.status(path)) != nil
        return VidclassError.file(
            path, "\(action) failed: \(SystemCall.reason(code))" + (isThere ? "; it is unchanged" : ""), kind: .inputOutput)
    }
}

// MARK: - Targets

extension AtomicFile {
    /// Throws, before a long computation, if `path` cannot be written because it is a device, pipe, socket or circle of links.
    package static func check(_ path: String) throws { _ = try target(path, followingLink: true) }

    /// The file that is replaced by one that is written to `path`. It need not exist.
    private static func target(_ path: String, followingLink: Bool) throws -> String {
        try SystemCall.checkPath(path)
        var raw = stat()
        let isThere = (followingLink ? stat(path, &raw) : lstat(path, &raw)) == 0
        guard !isThere || [S_IFREG, S_IFDIR, S_IFLNK].contains(raw.st_mode & S_IFMT) else {
            throw VidclassError.file(
                path, "is a pipe, socket or device, which is not replaced by a file; write to standard output and redirect that",
                kind: .usage)
        }
        guard followingLink else { return path }
        var target = path
        for _ in 0..<mostLinks {
            guard let link = try linkTarget(of: target) else { return target }
            target = link.utf8.first == UInt8(ascii: "/") ? link : PathText.join(PathText.parent(target), link)
        }
        throw VidclassError.file(path, "cannot be written: \(SystemCall.reason(ELOOP))", kind: .inputOutput)
    }

    /// As many as Linux follows.
    private static let mostLinks = 40

    /// What the symbolic link at `path` says; nil if there is none.
    private static func linkTarget(of path: String) throws -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &bytes, bytes.count)
        guard count >= 0 else { return nil }
        guard let link = String(validating: bytes.prefix(count), as: UTF8.self) else {
            throw VidclassError.file(path, "links to a name that is not valid UTF-8", kind: .inputOutput)
        }
        return link
    }
}

// MARK: - Leftovers

extension AtomicFile {
    /// Removes the temporary files that killed processes left in `folder`, and returns their number.
    ///
    /// A file counts as left if it has not been written to for an hour, or for five minutes if its process is gone. (A process on
    /// another machine or in another container that shares the folder is invisible here, but keeps writing.)
    ///
    /// - Parameter isOwned: whether nobody else can be writing there now, so that every such file was left.
    @discardableResult
    package static func removeLeftovers(in folder: String, isOwned: Bool = false) -> Int {
        guard let names = try? Folder.names(folder).names else { return 0 }
        var removed = 0
        for name in names {
            guard let process = process(ofTemporary: name) else { continue }
            let path = PathText.join(folder, name)
            guard let status = try? SystemCall.status(path, followingLink: false), status.kind == .file else { continue }
            let seconds = status.secondsFromModified
            let isLeft = isOwned || seconds > 3600 || (seconds > 300 && kill(process, 0) != 0 && errno == ESRCH)
            if isLeft, unlink(path) == 0 { removed += 1 }
        }
        return removed
    }

    private static func temporaryName(process: Int32, number: Int) -> String { ".vidclass-\(process)-\(number).tmp" }

    /// The process that made the temporary file `name`; nil for any other name.
    private static func process(ofTemporary name: String) -> Int32? {
        let parts = name.split { $0 == "-" || $0 == "." }
        guard parts.count == 4, let process = Int32(parts[1]), process > 0, let number = Int(parts[2]),
            name == temporaryName(process: process, number: number)
        else { return nil }
        return process
    }
}
