import VidSystem
import VidTrain

/// The files of a feature folder that have names vidclass gives; anything else there is ignored.
///
/// As in git's object store, the first two digits of a file's digest name its folder and the rest names the file.
package struct FeatureListing: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A `FeatureFile`.
        case features = ".safetensors"
        /// A `RecordFile` with the hashes of clips' contents.
        case contentHash = ".memo"
        /// A `RecordFile` with a check's findings (`ClipFacts`).
        case facts = ".facts"
    }

    package struct Entry: Sendable {
        package let kind: Kind
        package let path: String
        package let bytes: Int
        /// Time of the last use in nanoseconds since 1970; up to an hour too early.
        package let used: Int64

        /// Removes the file; returns false with `errno` set if that fails. A file that is already gone counts as removed.
        func remove() -> Bool { unlink(path) == 0 || errno == ENOENT }
    }

    package let folder: String
    package private(set) var entries: [Entry] = []

    /// Bytes of all entries.
    package var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

    /// Lists `folder`; a missing folder is empty, and unreadable entries are ignored.
    package init(_ folder: String) {
        self.folder = folder
        for shard in FeatureListing.shards(folder) {
            for name in (try? Folder.names(shard).names) ?? [] {
                guard let kind = FeatureListing.kind(name) else { continue }
                let path = PathText.join(shard, name)
                guard let status = try? SystemCall.status(path, followingLink: false), status.kind == .file else { continue }
                entries.append(Entry(kind: kind, path: path, bytes: status.size, used: status.modified))
            }
        }
    }

    /// Removes the entries, then the empty folders; returns the bytes freed.
    ///
    /// Throws `.inputOutput` for the first file that cannot be removed, after removing all others.
    package func remove() throws -> Int {
        var freed = 0
        var failure: VidclassError?
        for entry in entries {
            if entry.remove() {
                freed += entry.bytes
            } else if failure == nil {
                failure = .file(entry.path, "cannot be removed: \(SystemCall.reason())", kind: .inputOutput)
            }
        }
        for shard in FeatureListing.shards(folder) { rmdir(shard) }
        if let failure { throw failure }
        return freed
    }

    /// The path of the file of `digest`.
    static func path(_ folder: String, _ kind: Kind, _ digest: String) -> String {
        "\(folder)/\(digest.prefix(2))/\(digest.dropFirst(2))\(kind.rawValue)"
    }

    /// The two-digit folders, without links; none if `folder` itself is a link.
    private static func shards(_ folder: String) -> [String] {
        guard isFolder(folder), let names = try? Folder.names(folder).names else { return [] }
        return names.filter { FeatureKey.isHexadecimal($0, digits: 2) }.map { PathText.join(folder, $0) }.filter(isFolder)
    }

    /// Whether `path` is a folder, not a link to one.
    static func isFolder(_ path: String) -> Bool {
        (try? SystemCall.status(path, followingLink: false))?.kind == .folder
    }

    private static func kind(_ name: String) -> Kind? {
        Kind.allCases.first { name.hasSuffix($0.rawValue) && FeatureKey.isHexadecimal(name.dropLast($0.rawValue.count), digits: 62) }
    }
}
