import Crypto
import VidData
import VidSystem
import VidTensor

/// What a check found of a file, good for as long as the file stays as it was: saves reading it again.
///
/// The line `vidclass-facts 1`; a line with the file's device, inode, size (bytes), time of change of its content and of
/// anything about it (nanoseconds since 1970); `ClipFacts.encoded`; 32 bytes: the SHA-256 of the file's path, a zero byte, the
/// variant, a zero byte and all before.
struct FactsFile {
    /// Bytes of the longest one that is read.
    static let maximumLength = 1 << 16

    /// Its name: a SHA-256 in hexadecimal digits.
    let digest: String
    private let place: [UInt8]

    /// - Parameters:
    ///   - path: absolute and without symbolic links.
    ///   - variant: what else the facts depend on.
    init(path: String, variant: String) {
        place = Array("facts\0".utf8) + Array(path.utf8) + [0] + Array(variant.utf8) + [0]
        digest = SHA256.hash(data: place).hexadecimal
    }

    /// What to write for a file that is as `status` says.
    func bytes(_ facts: ClipFacts, _ status: FileStatus) -> [UInt8] {
        let bytes = FactsFile.head(status) + facts.encoded
        return bytes + seal(bytes[...])
    }

    /// The facts in `bytes`; nil where they are of another file, of the file as it was before, or damaged.
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
