internal import CCommit

/// The version of vidclass.
package enum Version {
    /// Of the program, of the library and of what they write.
    package static let number = "1.0.0"

    /// The commit from which the program was built, abbreviated, with `-dirty` if files had been changed; nil if the build was not told.
    package static var commit: String? {
        let commit = String(cString: vc_commit())
        return commit.isEmpty ? nil : commit
    }

    /// What `--version` prints: `1.0.0 (commit 1e9bed1c2d3e)`.
    package static var text: String { number + (commit.map { " (commit \($0))" } ?? "") }
}
