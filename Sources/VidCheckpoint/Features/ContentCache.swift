import Crypto
import VidSystem
import VidTensor

/// The content hash of a file, good for as long as the file stays as it was: saves reading it to know what is in it.
///
/// A text of four lines: `vidclass-clipCache 1`; the file's device, inode, size (bytes), time of change of its content and of
/// anything about it (nanoseconds since 1970); the content hash; the SHA-256 of the file's path, a zero byte, the sampling, a
/// zero byte and the lines above.
struct ContentCache {
    /// Bytes of the longest memo that is read.
    static let maximumLength = 1024

    /// Its name: a SHA-256 in hexadecimal digits.
    let digest: String
    private let place: [UInt8]

    /// - Parameters:
    ///   - path: absolute and without symbolic links.
    ///   - sampling: what else the content hash depends on.
    init(path: String, sampling: String) {
        place = Array(path.utf8) + [0] + Array(sampling.utf8) + [0]
        digest = SHA256.hash(data: place).hexadecimal
    }

    /// What to write for a file that is as `status` says.
    func text(_ contentHash: String, _ status: FileStatus) -> [UInt8] {
        let lines = ContentCache.head(status) + Array(contentHash.utf8) + [newline]
        return lines + Array(SHA256.hash(data: place + lines).hexadecimal.utf8) + [newline]
    }

    /// The hash in a memo; nil where it is of another file, of the file as it was before, or damaged.
    func contentHash(in text: [UInt8], _ status: FileStatus) -> String? {
        let head = ContentCache.head(status)
        guard text.starts(with: head) else { return nil }
        guard let hash = String(validating: text.dropFirst(head.count).prefix { $0 != newline }, as: UTF8.self) else { return nil }
        return text == self.text(hash, status) ? hash : nil
    }

    /// The lines before the hash.
    private static func head(_ status: FileStatus) -> [UInt8] {
        let identity = status.identity
        return Array(
            """
            vidclass-memo 1
            \(identity.device) \(identity.inode) \(status.size) \(status.modified) \(status.changed)

            """.utf8)
    }

    private var newline: UInt8 { UInt8(ascii: "\n") }
}
