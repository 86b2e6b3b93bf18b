import VidSystem

/// A private file in a `TemporaryFolder` of its own.
final class TemporaryFile {
    let path: String
    private let folder: TemporaryFolder
    private let descriptor: Int32

    /// - Throws: `.inputOutput` if it cannot be made.
    init(name: String) throws {
        folder = try TemporaryFolder()
        path = PathText.join(folder.path, name)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemCall.error("make it", path) }
    }

    deinit { close(descriptor) }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        let code = SystemCall.write(bytes, to: descriptor, at: offset)
        guard code == 0 else {
            throw VidclassError.file(
                path, "cannot be written: \(SystemCall.reason(code)); set TMPDIR to a folder with more room", kind: .inputOutput)
        }
    }
}
