import VidSystem
import VidTensor

/// What features depend on, all of it, as the 64 lower-case hexadecimal digits of a SHA-256.
package struct FeatureKey: Sendable, Hashable {
    package let digest: String

    package init(digest: String) {
        precondition(FeatureKey.isHexadecimal(digest, digits: 64), "expected 64 lower-case hexadecimal digits, found \(digest)")
        self.digest = digest
    }

    /// Whether `text` is so many hexadecimal digits, in lower case.
    package static func isHexadecimal(_ text: some StringProtocol, digits: Int) -> Bool {
        text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// Where features outlive a run. Any thread may call any of it at any time; nothing here throws, because a run goes on without.
package protocol FeatureCache: Sendable {
    /// Fills `features` with what is kept under `key` and returns how many of the clip's frames count.
    ///
    /// Returns nil where nothing of that shape is kept, or what is kept is damaged; `features` may then hold anything.
    func load(_ key: FeatureKey, into features: Tensor) -> Int?

    /// Keeps `features` (finite) for later runs where it can; where it cannot, the run goes on without, and says so once.
    func store(_ key: FeatureKey, _ features: Tensor, validFrames: Int)

    /// The content hash that the file at `path`, sampled as `sampling` says, had when it was last loaded; nil where the file has
    /// changed since or was never seen.
    func contentHash(of path: String, sampling: String) -> String?

    /// Remembers the hash of what was loaded from `path` for `contentHash`; not where the file may have changed meanwhile.
    func remember(_ contentHash: String, of path: String, sampling: String)
}
