import VidSystem

/// A clip that is whole.
package struct SettledClip: Sendable, Equatable {
    package let path: String
    /// Its path below the folder.
    package let name: String
    /// The status of the file; of a folder, that of its pictures together.
    package let status: FileStatus
}

/// The clips in and below a folder that are whole: nobody has changed their size or time for some seconds.
///
/// The folder is looked into again and again, which works on every file system: a network drive does not tell of what other machines write
/// there. Hidden files and names that are not those of clips, such as `.part` and `.tmp`, are passed over (`FolderWalk`).
package struct SettledClips {
    package let folder: String
    private let settle: Duration
    private var seen: [String: Seen] = [:]
    private var failures = 0

    private struct Seen {
        let size: Int
        let modified: Int64
        let since: ContinuousClock.Instant
    }

    /// A folder below may be removed while it is looked into: only so many failures one after another count.
    private static let mostFailures = 3

    /// - Parameter settle: how long a clip must stay the same.
    /// - Throws: `.missingInput` if nothing is there, `.usage` if it is no folder.
    package init(_ folder: String, settle: Duration) throws {
        guard try SystemCall.status(folder).kind == .folder else {
            throw VidclassError.file(folder, "expected a folder to watch, found a file", kind: .usage)
        }
        self.folder = folder
        self.settle = settle
    }

    /// Looks into the folder and returns its whole clips, sorted by their paths.
    ///
    /// - Throws: `.missingInput` if the folder is gone, and the errors of listing it, if they last.
    package mutating func look(at now: ContinuousClock.Instant = .now) throws -> [SettledClip] {
        let clips: [FolderWalk.Clip]
        do {
            clips = try FolderWalk(folder).clips
            failures = 0
        } catch {
            _ = try SystemCall.status(folder)
            failures += 1
            guard failures < SettledClips.mostFailures else { throw error }
            return []
        }
        var found: [String: Seen] = [:]
        var settled: [SettledClip] = []
        for clip in clips {
            // It may be gone by now.
            guard let status = try? FileStatus(ofClip: clip.path) else { continue }
            var entry = Seen(size: status.size, modified: status.modified, since: now)
            if let known = seen[clip.id], known.size == entry.size, known.modified == entry.modified { entry = known }
            found[clip.id] = entry
            if now - entry.since >= settle { settled.append(SettledClip(path: clip.path, name: clip.id, status: status)) }
        }
        seen = found
        return settled.sorted { PathText.precedes($0.path, $1.path) }
    }
}
