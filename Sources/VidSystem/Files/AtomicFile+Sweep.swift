
extension AtomicFile {
    /// Removes the temporary files that killed processes left in `folder`, and returns how many.
    ///
    /// One counts as left when nothing was written to it for an hour, or for five minutes while no process of its number is
    /// there: a process of another machine or container that shares the folder cannot be seen, but writes.
    ///
    /// - Parameter isOwned: whether nobody else can be writing there now, so that every one is left.
    @discardableResult
    package static func removeLeftovers(in folder: String, isOwned: Bool = false) -> Int {
        guard let names = try? Folder.names(folder).names else { return 0 }
        var removed = 0
        for name in names {
            guard let process = process(ofTemporary: name) else { continue }
            let path = PathText.join(folder, name)
            guard let status = try? SystemCall.status(path, followingLink: false), status.kind == .file else { continue }
            let seconds = status.secondsFromModified
            let isLeft = isOwned || seconds > 3600 || (seconds > 300 && kill(process, 0) != 0 && errno == ESRCH)
            if isLeft, unlink(path) == 0 { removed += 1 }
        }
        return removed
    }

    /// The process that made the temporary file `name`; nil for any other name.
    private static func process(ofTemporary name: String) -> Int32? {
        let parts = name.split { $0 == "-" || $0 == "." }
        guard parts.count == 4, let process = Int32(parts[1]), process > 0, let number = Int(parts[2]),
            name == temporaryName(process: process, number: number)
        else { return nil }
        return process
    }
}
