import VidSystem

/// The file of a clip's address, or the part of it, however the path is spelt (`./`, `..`, an absolute path, a link).
struct ClipIdentity: Hashable {
    let file: FileStatus.Identity
    let segment: ClipSegment?

    /// Nil if nothing is at `path`.
    init?(_ path: String) {
        let address = ClipPath(path)
        guard let status = try? SystemCall.status(address.file) else { return nil }
        (file, segment) = (status.identity, address.segment)
    }
}
