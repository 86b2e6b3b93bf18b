import VidSystem
import VidTensor

/// A file in memory that holds one input after the other, for parsers that read files.
final class InputFile: Sendable {
    static let shared = InputFile()

    private let path = "/dev/shm/vidclass-fuzz-\(getpid()).bin"
    private let descriptor: Int32

    private init() {
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        precondition(descriptor >= 0, "\(path): cannot be made: \(SystemCall.reason())")
        atexit { unlink(InputFile.shared.path) }
    }

    /// Makes `bytes` the file's content.
    ///
    /// - Returns: its path.
    func hold(_ bytes: [UInt8]) -> String {
        precondition(ftruncate(descriptor, 0) == 0, "\(path): \(SystemCall.reason())")
        let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        precondition(written == bytes.count, "\(path): \(SystemCall.reason())")
        return path
    }
}
