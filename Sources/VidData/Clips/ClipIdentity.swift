import VidSystem

/// The file of a clip's address, or the part of it, however the path is spelt (`./`, `..`, an absolute path, a link).
struct ClipIdentity: Hashable {
    let file: FileStatus.Identity
    let segment: ClipSegment?

    /// Nil if nothing is at `path`.
    ///
    /// - Parameter known: the status of the file, if it is known already.
    init?(_ path: String, _ known: FileStatus?) {
        let address = ClipPath(path)
        guard let status = try? known ?? SystemCall.status(address.file) else { return nil }
        (file, segment) = (status.identity, address.segment)
    }
}
