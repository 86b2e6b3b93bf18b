import VidSystem

/// A private file in a folder of its own below `$TMPDIR` (or `/tmp`). It is removed with this object, and when a signal ends the
/// process.
final class TemporaryFile {
    let path: String
    private let folder: String
    private let descriptor: Int32
    private let cleanup: Int

    /// - Throws: `.inputOutput` if it cannot be made.
    init(name: String) throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array(PathText.join(parent, "vidclass-XXXXXX").utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }).map({ String(cString: $0) })
        else {
            throw VidclassError.file(
                parent, "cannot make a temporary folder: \(SystemCall.reason()); set TMPDIR to another", kind: .inputOutput)
        }
        let file = PathText.join(made, name)
        // If the reader of the output leaves, the file must still be removed.
        signal(SIGPIPE, SIG_IGN)
        // Registered before the file exists, so that a signal in between leaves nothing behind.
        cleanup = SignalHandling.add { TemporaryFile.remove(file, in: made) }
        descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        (path, folder) = (file, made)
        guard descriptor >= 0 else {
            let error = SystemCall.error("make it", file)
            rmdir(made)
            throw error
        }
    }

    deinit {
        close(descriptor)
        TemporaryFile.remove(path, in: folder)
        SignalHandling.remove(cleanup)
    }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        let code = SystemCall.write(bytes, to: descriptor, at: offset)
        guard code == 0 else {
            throw VidclassError.file(
                path, "cannot be written: \(SystemCall.reason(code)); set TMPDIR to a folder with more room", kind: .inputOutput)
        }
    }

    private static func remove(_ path: String, in folder: String) {
        unlink(path)
        rmdir(folder)
    }
}
