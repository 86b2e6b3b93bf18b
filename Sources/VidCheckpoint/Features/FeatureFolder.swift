import FoundationEssentials
import Synchronization
import VidData
import VidSystem
import VidTensor
import VidTrain

/// Features, content hashes and check results of clips on disk, shared by any number of processes.
///
/// A file gets its name when it is complete, and is verified whenever it is read; a damaged one is removed. Nothing waits for
/// the disk: a file torn by a loss of power fails its checksum. A killed process leaves at most a temporary file, which is
/// removed when a later one opens the folder. Symbolic links in the folder are not followed.
///
/// Features have a file per clip. What is remembered about clips has a file per folder of clips (`FolderRecords`), which is written after
/// some seconds and by `save`.
///
/// The folder holds at most `bound` bytes: the least recently used files are removed first, but none that this run has
/// written. After the first failed write nothing more is kept, with a note; existing files still load.
package final class FeatureFolder: FeatureCache, ClipCache {
    package let path: String
    package let bound: CacheBound
    private let opened: Int64
    private let calls: FileCalls
    private let room: @Sendable (String) -> FileSystemRoom?
    private let note: @Sendable (String) -> Void
    private let state: Mutex<State>
    private let hashes: FolderRecords
    private let facts: FolderRecords

    private struct State {
        /// False after the first failure.
        var isKeeping: Bool
        var ledger: CacheLedger
    }

    /// The user's own folder, with the bound from the environment.
    ///
    /// - Parameter note: receives a line for the user, at most once.
    /// - Throws: `.usage` if `VIDCLASS_CACHE_GIB` is not a number of GiB.
    package convenience init(
        environment: [String: String] = ProcessInfo.processInfo.environment, note: @escaping @Sendable (String) -> Void
    ) throws {
        self.init(
            CacheFolder(environment: environment).features, bound: try CacheBound(environment: environment), note: note)
    }

    /// Any folder, which need not exist.
    ///
    /// - Parameters:
    ///   - opened: when the run began, in nanoseconds since 1970: the content hash of a file that changed later is not remembered.
    ///   - room: the free space where a file is to be written.
    ///   - note: receives a line for the user, at most once.
    package init(
        _ path: String, bound: CacheBound, opened: Int64 = FileStatus.now, calls: FileCalls = .unsynced,
        room: @escaping @Sendable (String) -> FileSystemRoom? = { FileSystemRoom(at: $0) }, note: @escaping @Sendable (String) -> Void
    ) {
        self.path = path
        self.bound = bound
        self.opened = opened
        self.calls = FeatureFolder.remakingShards(calls)
        self.room = room
        self.note = note
        hashes = FolderRecords(.contentHash, in: path)
        facts = FolderRecords(.facts, in: path)
        state = Mutex(State(isKeeping: bound.bytes > 0, ledger: CacheLedger(path, bound: bound.bytes)))
        if FeatureListing.isFolder(path) { AtomicFile.removeLeftovers(in: path) }
    }

    deinit { save() }

    // MARK: - Features

    package func load(_ key: FeatureKey, into features: Tensor) -> Int? {
        guard bound.bytes > 0 else { return nil }
        let target = FeatureListing.path(path, .features, key.digest)
        do {
            let file = try RegularFile(target, followingLink: false)
            guard let frames = try FeatureFile.read(file, key, into: features) else { return nil }
            touch(file)
            return frames
        } catch {
            if (error as? VidclassError)?.kind == .badData, isInside(target) { unlink(target) }
            return nil
        }
    }

    package func store(_ key: FeatureKey, _ features: Tensor, validFrames: Int) {
        guard state.withLock({ $0.isKeeping }) else { return }
        guard Finiteness.firstNonFinite(UnsafeBufferPointer(start: features.base, count: features.count)) == nil else { return }
        let target = FeatureListing.path(path, .features, key.digest)
        keep(target) {
            let image = try FeatureFile.seal(target, key, features, validFrames: validFrames)
            return (image.size, { try image.write(to: target, temporaryFolder: self.path, calls: self.calls) })
        }
    }

    // MARK: - Content hashes and facts

    package func contentHash(of path: String, sampling: String) -> String? {
        recall(hashes, [CachedClip(path: path, variant: sampling, status: nil)]) { String(validating: $0, as: UTF8.self) }[0]
    }

    /// Ignores files that changed less than two seconds before the folder was opened, or later: the loaded content could be
    /// the old one. (Two seconds is the coarsest resolution of file times.)
    package func remember(_ contentHash: String, of path: String, sampling: String) {
        precondition(
            !contentHash.isEmpty && contentHash.utf8.count <= 256 && !contentHash.utf8.contains(UInt8(ascii: "\n")),
            "expected a content hash on one line, found \(contentHash.quoted)")
        remember(Array(contentHash.utf8), hashes, path, sampling)
    }

    package func facts(of path: String, variant: String) -> ClipFacts? {
        facts(of: [CachedClip(path: path, variant: variant, status: nil)])[0]
    }

    package func facts(of clips: [CachedClip]) -> [ClipFacts?] { recall(facts, clips) { ClipFacts(encoded: $0) } }

    /// Ignores files that changed too recently, like `remember(_:of:sampling:)`.
    package func remember(_ facts: ClipFacts, of path: String, variant: String) { remember(facts.encoded, self.facts, path, variant) }

    /// Writes what was remembered, and frees its memory.
    package func save() {
        for records in [hashes, facts] { save(records, isLast: true) }
    }

    /// Looks up the records about some clips and decodes them, in the order of the clips; nil where there is none.
    private func recall<Value>(
        _ records: FolderRecords, _ clips: [CachedClip], _ decode: (UnsafeRawBufferPointer) -> Value?
    ) -> [Value?] {
        var values = [Value?](repeating: nil, count: clips.count)
        guard bound.bytes > 0 else { return values }
        records.contents(of: clips, opened: touch) { values[$0] = decode($1) }
        return values
    }

    private func remember(_ content: [UInt8], _ records: FolderRecords, _ path: String, _ variant: String) {
        guard state.withLock({ $0.isKeeping }) else { return }
        let isTime = records.remember(content, path, variant) { status in
            status.kind != .other && max(status.modified, status.changed) < opened - 2_000_000_000
        }
        if isTime { save(records, isLast: false) }
    }

    private func save(_ records: FolderRecords, isLast: Bool) {
        records.save(isLast: isLast) { target, image in
            guard state.withLock({ $0.isKeeping }) else { return false }
            keep(target) {
                (image.size, { try AtomicFile.write(to: target, temporaryFolder: self.path, calls: self.calls, image.write) })
            }
            return state.withLock { $0.isKeeping }
        }
    }

    // MARK: - Writing

    /// Writes a file to `target` with the size and writer that `prepare` returns.
    private func keep(_ target: String, _ prepare: () throws -> (size: Int, write: () throws -> Void)) {
        do {
            let (size, write) = try prepare()
            try makeFolder(path)
            guard makeRoom(size, target) else { return }
            do {
                try publish(target, write)
            } catch {
                state.withLock { $0.ledger.withdraw(target) }
                throw error
            }
        } catch {
            giveUp("the feature cache cannot be written: \(error); continuing without it")
        }
    }

    /// Counts a file of `size` bytes; returns false if there is no room for it.
    private func makeRoom(_ size: Int, _ target: String) -> Bool {
        // Leave some space to others; on a large file system a twentieth would be far more than they need.
        if let disk = room(path), disk.free - size < min(1 << 30, disk.size / 20) {
            giveUp("no more features are kept in the cache: its file system is nearly full (\(path.printable))")
            return false
        }
        let isAdmitted = state.withLock { $0.isKeeping && $0.ledger.admit(size, to: target) }
        if !isAdmitted {
            giveUp("no more features are kept in the cache: this run's would exceed its \(bound) (\(CacheBound.variable))")
        }
        return isAdmitted
    }

    /// The calls with a rename that makes the target's folder again if another process, clearing the cache, has removed it. Whether
    /// it is missing shows only in the rename's own error: a third process may already have made it again.
    private static func remakingShards(_ calls: FileCalls) -> FileCalls {
        var remaking = calls
        remaking.rename = { from, to in
            for _ in 0..<3 {
                guard calls.rename(from, to) != 0 else { return 0 }
                guard errno == ENOENT else { return -1 }
                mkdir(PathText.parent(to), 0o777)
            }
            return calls.rename(from, to)
        }
        return remaking
    }

    private func publish(_ target: String, _ write: () throws -> Void) throws {
        let shard = PathText.parent(target)
        try makeFolder(shard)
        // A folder in its place is left alone.
        guard !FeatureListing.isFolder(target) else { return }
        do {
            try write()
        } catch {
            // If another process has cleared the cache meanwhile, try once more.
            guard !FeatureListing.isFolder(shard) else { throw error }
            try makeFolder(shard)
            try write()
        }
    }

    /// Throws if the path is a symbolic link.
    private func makeFolder(_ folder: String) throws {
        try Folder.make(folder)
        if let kind = try? SystemCall.status(folder, followingLink: false).kind, kind != .folder {
            throw VidclassError.file(
                folder, "expected a folder, found a symbolic link (XDG_CACHE_HOME puts the cache elsewhere)", kind: .inputOutput)
        }
    }

    /// Whether the file at `target` is really in the folder, not behind a link.
    private func isInside(_ target: String) -> Bool {
        FeatureListing.isFolder(path) && FeatureListing.isFolder(PathText.parent(target))
    }

    /// Updates the file's time of use, at most once an hour, so that consecutive runs write nothing.
    private func touch(_ file: RegularFile) {
        guard file.status.secondsFromModified > 3600, isInside(file.path) else { return }
        utimensat(AT_FDCWD, file.path, nil, AT_SYMLINK_NOFOLLOW)
    }

    /// Stops keeping files in this run and reports why, once.
    private func giveUp(_ reason: String) {
        let isFirst = state.withLock { state in
            defer { state.isKeeping = false }
            return state.isKeeping
        }
        if isFirst { note(reason) }
    }
}
