import VidSystem

/// A private folder below `$TMPDIR` (or `/tmp`). It is removed with the files in it with this object, and when a signal ends the process.
final class TemporaryFolder {
    let path: String
    private let cleanup: Int

    /// - Throws: `.inputOutput` if it cannot be made.
    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array(PathText.join(parent, "vidclass-XXXXXX").utf8CString)
        guard let made = template.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap { mkdtemp($0) } }).map({ String(cString: $0) })
        else {
            throw VidclassError.file(
                parent, "cannot make a temporary folder: \(SystemCall.reason()); set TMPDIR to another", kind: .inputOutput)
        }
        // If the reader of the output leaves, the folder must still be removed.
        signal(SIGPIPE, SIG_IGN)
        path = made
        cleanup = SignalHandling.add { TemporaryFolder.remove(made) }
    }

    deinit {
        TemporaryFolder.remove(path)
        SignalHandling.remove(cleanup)
    }

    private static func remove(_ path: String) {
        for name in (try? Folder.names(path).names) ?? [] { unlink(PathText.join(path, name)) }
        rmdir(path)
    }
}
