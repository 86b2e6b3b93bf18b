import Synchronization
import VidTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that appears whole or not at all.
///
/// The bytes go to a hidden temporary file in the destination's own folder; `commit` syncs it, renames it over the
/// destination and syncs the folder. Until then the destination is as it was; without `commit` the temporary file goes.
package final class AtomicFile {
    package let path: String
    /// Bytes appended so far.
    package private(set) var size = 0

    private let temporaryPath: String
    private var descriptor: CInt
    private var isDone = false
    private var buffered: [UInt8] = []
    private static let serial = Atomic<UInt64>(0)
    private static let bufferSize = 1 << 18

    package init(_ path: String) throws {
        try SystemCall.checkPath(path)
        self.path = path
        let serial = AtomicFile.serial.wrappingAdd(1, ordering: .relaxed).newValue
        let temporaryPath = PathText.join(PathText.parent(path), ".vidclass-\(getpid())-\(serial).tmp")
        self.temporaryPath = temporaryPath
        descriptor = SystemCall.retrying { open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o666)) }
        if descriptor < 0, errno == EEXIST {
            // Left by a process of the same number that was killed.
            unlink(temporaryPath)
            descriptor = SystemCall.retrying { open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o666)) }
        }
        guard descriptor >= 0 else {
            throw VidclassError.file(path, "cannot write there: \(SystemCall.reason)", kind: .inputOutput)
        }
        buffered.reserveCapacity(AtomicFile.bufferSize)
    }

    deinit { discard() }

    /// Adds `bytes` at the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws {
        if buffered.count + bytes.count <= AtomicFile.bufferSize {
            buffered.append(contentsOf: bytes)
        } else {
            try flush()
            try write(bytes, at: size)
        }
        size += bytes.count
    }

    /// Writes `bytes` over what stands at `offset`.
    package func overwrite(_ bytes: [UInt8], at offset: Int) throws {
        precondition(offset >= 0 && offset + bytes.count <= size, "\(bytes.count) bytes at \(offset) of \(size)")
        try flush()
        try bytes.withUnsafeBytes { try write($0, at: offset) }
    }

    /// Makes the file appear under its name, safe against a loss of power.
    package func commit() throws {
        try flush()
        guard SystemCall.retrying({ fsync(descriptor) }) == 0 else { throw failure() }
        guard close(descriptor) == 0 else {
            descriptor = -1
            throw failure()
        }
        descriptor = -1
        guard rename(temporaryPath, path) == 0 else { throw failure() }
        isDone = true
        let folder = SystemCall.retrying { open(PathText.parent(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard folder >= 0 else { return }  // a folder that may be written but not read: the rename stands
        defer { close(folder) }
        // Some file systems do not sync folders (EINVAL); a failing one does matter.
        guard SystemCall.retrying({ fsync(folder) }) == 0 || errno == EINVAL else {
            throw VidclassError.file(path, "cannot sync its folder: \(SystemCall.reason)", kind: .inputOutput)
        }
    }

    /// Takes back everything; harmless after `commit`.
    package func discard() {
        guard !isDone else { return }
        isDone = true
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        unlink(temporaryPath)
    }

    private func failure() -> VidclassError {
        let reason = SystemCall.reason
        discard()
        return .file(path, "cannot write it: \(reason)", kind: .inputOutput)
    }

    private func flush() throws {
        guard !buffered.isEmpty else { return }
        try buffered.withUnsafeBytes { try write($0, at: size - $0.count) }
        buffered.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        precondition(descriptor >= 0, "\(path) was committed or discarded already")
        var done = 0
        while done < bytes.count {
            let count = SystemCall.retrying {
                pwrite(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            }
            guard count > 0 else { throw failure() }
            done += count
        }
    }
}
