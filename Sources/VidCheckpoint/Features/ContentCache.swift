import Crypto
import VidSystem
import VidTensor

/// Remembers a file's content hash while the file is unchanged, so that it need not be read again.
///
/// A text of four lines: `vidclass-memo 1`; the file's device, inode, size (bytes), modification and status change
/// times (nanoseconds since 1970); the content hash; the SHA-256 of the file's path, a zero byte, the sampling, a
/// zero byte and the lines above.
struct ContentCache {
    /// The largest file that is read, in bytes.
    static let maximumLength = 1024

    /// The file's name: a SHA-256 in hexadecimal digits.
    let digest: String
    private let place: [UInt8]

    /// - Parameters:
    ///   - path: absolute and without symbolic links.
    ///   - sampling: everything else that the content hash depends on.
    init(path: String, sampling: String) {
        place = Array(path.utf8) + [0] + Array(sampling.utf8) + [0]
        digest = SHA256.hash(data: place).hexadecimal
    }

    /// The text to store for a file with this `status`.
    func text(_ contentHash: String, _ status: FileStatus) -> [UInt8] {
        let lines = ContentCache.head(status) + Array(contentHash.utf8) + [newline]
        return lines + Array(SHA256.hash(data: place + lines).hexadecimal.utf8) + [newline]
    }

    /// The hash stored in `text`; nil if it belongs to another file or an older state of the file, or is damaged.
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
