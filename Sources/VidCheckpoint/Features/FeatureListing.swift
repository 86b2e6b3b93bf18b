import VidSystem
import VidTensor
import VidTrain

/// What a features' folder holds: regular files under names that vidclass gives; whatever else is there is passed over.
///
/// As in git's object store, a file's digest is the name of its folder (two digits) and its own name.
package struct FeatureListing: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A `FeatureFile`.
        case features = ".safetensors"
        /// A `ContentMemo`.
        case clipCache = ".memo"
        /// A `FactsFile`.
        case facts = ".facts"
    }

    package struct Entry: Sendable {
        package let kind: Kind
        package let path: String
        package let bytes: Int
        /// Time of the last use, up to an hour earlier than it was, in nanoseconds since 1970.
        package let used: Int64

        /// Removes the file; false where it cannot be, and `errno` says why. One that somebody else has removed counts as removed.
        func remove() -> Bool { unlink(path) == 0 || errno == ENOENT }
    }

    package let folder: String
    package private(set) var entries: [Entry] = []

    /// Bytes of all entries.
    package var bytes: Int { entries.reduce(0) { $0 + $1.bytes } }

    /// Looks through `folder`; where there is none, nothing is in it. What cannot be looked at is passed over.
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

    /// Removes the entries, then the folders that are empty now; returns the bytes of what was removed.
    ///
    /// Throws `.inputOutput` for the first file that cannot be removed, after all others are.
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

    /// Where the file of `digest` is.
    static func path(_ folder: String, _ kind: Kind, _ digest: String) -> String {
        "\(folder)/\(digest.prefix(2))/\(digest.dropFirst(2))\(kind.rawValue)"
    }

    /// The folders of two digits, no links among them; none where `folder` is a link itself.
    private static func shards(_ folder: String) -> [String] {
        guard isFolder(folder), let names = try? Folder.names(folder).names else { return [] }
        return names.filter { FeatureKey.isHexadecimal($0, digits: 2) }.map { PathText.join(folder, $0) }.filter(isFolder)
    }

    /// Whether `path` is a folder and no link to one.
    static func isFolder(_ path: String) -> Bool {
        (try? SystemCall.status(path, followingLink: false))?.kind == .folder
    }

    private static func kind(_ name: String) -> Kind? {
        Kind.allCases.first { name.hasSuffix($0.rawValue) && FeatureKey.isHexadecimal(name.dropLast($0.rawValue.count), digits: 62) }
    }
}
