import VidCluster
import VidData
import VidSystem

/// Prints of files, by which ranks find out before they start that their data or their programs differ.
///
/// A print covers a file's size and content: all of a small file, and of a larger one its beginning, its end, and pieces between them at
/// equal distances. Of a folder of pictures it covers the names and sizes.
enum FilePrint {
    /// Bytes of a piece, and pieces of a file.
    private static let (piece, pieces) = (1 << 14, 16)

    /// Compares the clips of all ranks with those of rank 0.
    ///
    /// - Throws: `.badData` on a rank that has another file.
    static func compare(_ data: DataSet, in cluster: any Cluster) async throws {
        let own = try data.entries.map { Int(truncatingIfNeeded: try of(ClipPath($0.path).file)) }
        let others = try await cluster.broadcast(own)
        for (entry, (own, other)) in zip(data.entries, zip(own, others)) where own != other {
            throw VidclassError.file(
                entry.path, "is not the file that rank 0 has under this path. Copy its data folder to all machines, or share it")
        }
    }

    static func of(_ path: String) throws -> UInt64 {
        var hash = SHA256()
        let status = try SystemCall.status(path)
        if status.kind == .folder {
            for name in try Folder.names(path).names.sorted() {
                let size = (try? SystemCall.status(PathText.join(path, name)).size) ?? 0
                hash.update(Array("\(name)\n\(size)\n".utf8))
            }
        } else {
            hash.update(Array("\(status.size)\n".utf8))
            let file = try RegularFile(path)
            let count = min(pieces, (status.size + piece - 1) / piece)
            for number in 0..<count {
                let place = count > 1 ? (status.size - piece) * number / (count - 1) : 0
                hash.update(try file.bytes(at: max(0, place), count: min(piece, status.size)))
            }
        }
        return hash.digest().withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }
}
