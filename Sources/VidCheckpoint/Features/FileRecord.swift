import VidSystem

/// A small file that remembers something about a clip's file while that is unchanged, so that it need not be read again.
///
/// It consists of a line with the format, `vidclass-memo 2` or `vidclass-facts 1`; a line with the clip file's device, inode, size
/// (bytes), modification and status change times (nanoseconds since 1970), or those of a folder's pictures (`FrameFolder.status`); the content; and a SHA-256 of the clip file's path, a
/// zero byte, the variant, a zero byte and everything before (32 bytes, or hexadecimal digits and a line end in `vidclass-memo`).
/// Records of `vidclass-memo 1` are not read: their frames of videos were chosen by number, not by time.
struct FileRecord {
    /// The largest file that is read, in bytes.
    static let maximumLength = 1 << 16

    /// The file's name: a SHA-256 in hexadecimal digits.
    let digest: String
    private let areFacts: Bool
    private let place: [UInt8]

    /// - Parameters:
    ///   - kind: `.contentHash` or `.facts`.
    ///   - path: absolute and without symbolic links, with the segment if the clip is a part of the file.
    ///   - variant: everything else that the content depends on.
    init(_ kind: FeatureListing.Kind, path: String, variant: String) {
        precondition(kind != .features, "features are not kept in records")
        areFacts = kind == .facts
        place = Array((areFacts ? "facts\0" : "").utf8) + Array(path.utf8) + [0] + Array(variant.utf8) + [0]
        digest = SHA256.digest(place).hexadecimal
    }

    /// The bytes to store about a file with this `status`.
    func bytes(_ content: [UInt8], _ status: FileStatus) -> [UInt8] {
        let bytes = head(status) + content
        return bytes + seal(bytes)
    }

    /// The content stored in `bytes`; nil if it belongs to another file or an older state of the file, or is damaged.
    func content(in bytes: [UInt8], _ status: FileStatus) -> [UInt8]? {
        let head = head(status)
        let end = bytes.count - (areFacts ? 32 : 65)
        guard end >= head.count, bytes.starts(with: head), bytes[end...].elementsEqual(seal(Array(bytes[..<end]))) else { return nil }
        return Array(bytes[head.count..<end])
    }

    private func head(_ status: FileStatus) -> [UInt8] {
        let times = "\(status.identity.device) \(status.identity.inode) \(status.size) \(status.modified) \(status.changed)"
        return Array("vidclass-\(areFacts ? "facts 1" : "memo 2")\n\(times)\n".utf8)
    }

    private func seal(_ bytes: [UInt8]) -> [UInt8] {
        let hash = SHA256.digest(place + bytes)
        return areFacts ? hash : Array((hash.hexadecimal + "\n").utf8)
    }
}
