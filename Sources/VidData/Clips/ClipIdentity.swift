import VidSystem

/// What a clip's address stands for, however it is spelt (`./`, `..`, an absolute path, a link): a file, or a part of it.
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
