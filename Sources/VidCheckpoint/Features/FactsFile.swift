import Crypto
import VidData
import VidSystem
import VidTensor

/// Remembers a check's findings about a file while the file is unchanged, so that it need not be read again.
///
/// The line `vidclass-facts 1`; a line with the file's device, inode, size (bytes), modification and status change
/// times (nanoseconds since 1970); `ClipFacts.encoded`; 32 bytes: the SHA-256 of the file's path, a zero byte, the
/// variant, a zero byte and everything before.
struct FactsFile {
    /// The largest file that is read, in bytes.
    static let maximumLength = 1 << 16

    /// The file's name: a SHA-256 in hexadecimal digits.
    let digest: String
    private let place: [UInt8]

    /// - Parameters:
    ///   - path: absolute and without symbolic links.
    ///   - variant: everything else that the facts depend on.
    init(path: String, variant: String) {
        place = Array("facts\0".utf8) + Array(path.utf8) + [0] + Array(variant.utf8) + [0]
        digest = SHA256.hash(data: place).hexadecimal
    }

    /// The bytes to store for a file with this `status`.
    func bytes(_ facts: ClipFacts, _ status: FileStatus) -> [UInt8] {
        let bytes = FactsFile.head(status) + facts.encoded
        return bytes + seal(bytes[...])
    }

    /// The facts stored in `bytes`; nil if they belong to another file or an older state of the file, or are damaged.
    func facts(in bytes: [UInt8], _ status: FileStatus) -> ClipFacts? {
        let head = FactsFile.head(status)
        guard bytes.count >= head.count + SHA256.byteCount, bytes.starts(with: head) else { return nil }
        let content = bytes.dropLast(SHA256.byteCount)
        guard seal(content) == Array(bytes.suffix(SHA256.byteCount)) else { return nil }
        return ClipFacts(encoded: Array(content.dropFirst(head.count)))
    }

    private func seal(_ content: ArraySlice<UInt8>) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: place)
        content.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }

    private static func head(_ status: FileStatus) -> [UInt8] {
        let identity = status.identity
        return Array(
            """
            vidclass-facts 1
            \(identity.device) \(identity.inode) \(status.size) \(status.modified) \(status.changed)

            """.utf8)
    }
}
