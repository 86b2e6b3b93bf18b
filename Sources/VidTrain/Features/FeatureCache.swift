import VidTensor

/// What features depend on, all of it, as the 64 hexadecimal digits of a SHA-256.
package struct FeatureKey: Sendable, Hashable {
    package let digest: String

    package init(digest: String) {
        precondition(digest.utf8.count == 64, "a key of \(digest.utf8.count) digits")
        self.digest = digest
    }
}

/// Where features outlive a run.
package protocol FeatureCache: Sendable {
    /// Fills `features` with what is kept under `key` and returns how many of the clip's frames count; nil where nothing of
    /// that shape is kept, or what is kept is damaged.
    func load(_ key: FeatureKey, into features: Tensor) -> Int?

    /// Keeps `features` for later runs where it can; where it cannot, the run goes on without and says so once.
    func store(_ key: FeatureKey, _ features: Tensor, validFrames: Int)

    /// The content hash that the file at `path`, sampled as `sampling` says, had when it was last loaded; nil where the file
    /// has changed since or was never seen.
    func contentHash(of path: String, sampling: String) -> String?

    /// Remembers it for `contentHash`.
    func remember(_ contentHash: String, of path: String, sampling: String)
}
