import FoundationEssentials
import Synchronization
import VidData
import VidSystem
import VidTensor
import VidTrain

/// Features, content hashes and what checks found of clips, kept on disk, where any number of processes share them.
///
/// A file takes its name when it is whole, and is checked whenever it is read; one that is damaged is removed. Nothing waits
/// for the disk: what a loss of power tears is noticed by its checksum. A killed process leaves at most a temporary file, which
/// goes when a later one opens the folder. No symbolic link in the folder is followed.
///
/// The folder holds at most `bound`: what was used longest ago goes first, but nothing that this run has written. After the
/// first failure to write nothing more is kept, and a note says so; what is there still loads.
package final class FeatureFolder: FeatureCache, ClipCache {
    package let path: String
    package let bound: CacheBound
    private let opened: Int64
    private let calls: FileCalls
    private let room: @Sendable (String) -> FileSystemRoom?
    private let note: @Sendable (String) -> Void
    private let state: Mutex<State>

    private struct State {
        /// False after the first failure.
        var isKeeping: Bool
        var ledger: CacheLedger
    }

    /// The folder of this user, with the bound that the environment gives.
    ///
    /// - Parameter note: gets a line for the user, once at most.
    /// - Throws: `.usage` where `VIDCLASS_CACHE_GIB` is no number of GiB.
    package convenience init(
        environment: [String: String] = ProcessInfo.processInfo.environment, note: @escaping @Sendable (String) -> Void
    ) throws {
        self.init(
            CacheFolder(environment: environment).features, bound: try CacheBound(environment: environment), note: note)
    }

    /// Any folder, which need not exist.
    ///
    /// - Parameters:
    ///   - opened: when the run began, in nanoseconds since 1970: no content hash is remembered of a file that changed later.
    ///   - room: how much room is where a file is to be written.
    ///   - note: gets a line for the user, once at most.
    package init(
        _ path: String, bound: CacheBound, opened: Int64 = FileStatus.now, calls: FileCalls = .unsynced,
        room: @escaping @Sendable (String) -> FileSystemRoom? = { FileSystemRoom(at: $0) }, note: @escaping @Sendable (String) -> Void
    ) {
        self.path = path
        self.bound = bound
        self.opened = opened
        self.calls = calls
        self.room = room
        self.note = note
        state = Mutex(State(isKeeping: bound.bytes > 0, ledger: CacheLedger(path, bound: bound.bytes)))
        if FeatureListing.isFolder(path) { AtomicFile.removeLeftovers(in: path) }
    }

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

    // MARK: - Content hashes

    package func contentHash(of path: String, sampling: String) -> String? {
        guard bound.bytes > 0 else { return nil }
        let resolved = Folder.resolved(path)
        guard let status = try? SystemCall.status(resolved) else { return nil }
        let clipCache = ContentCache(path: resolved, sampling: sampling)
        guard let file = try? RegularFile(FeatureListing.path(self.path, .clipCache, clipCache.digest), followingLink: false),
            file.size <= ContentCache.maximumLength, let text = try? file.bytes(at: 0, count: file.size),
            let hash = clipCache.contentHash(in: text, status)
        else { return nil }
        touch(file)
        return hash
    }

    /// Remembers nothing of a file that changed less than two seconds before the folder was opened, or later: what was loaded
    /// in between could be what it held before. (Two seconds is the coarsest that file systems tell times apart.)
    package func remember(_ contentHash: String, of path: String, sampling: String) {
        precondition(
            !contentHash.isEmpty && contentHash.utf8.count <= 256 && !contentHash.utf8.contains(UInt8(ascii: "\n")),
            "expected a content hash on one line, found \(contentHash.quoted)")
        guard state.withLock({ $0.isKeeping }) else { return }
        let resolved = Folder.resolved(path)
        guard let status = settledStatus(resolved) else { return }
        let clipCache = ContentCache(path: resolved, sampling: sampling)
        let target = FeatureListing.path(self.path, .clipCache, clipCache.digest)
        let text = clipCache.text(contentHash, status)
        keep(target) {
            (text.count, { try AtomicFile.write(to: target, temporaryFolder: self.path, calls: self.calls) { try $0.write(text) } })
        }
    }

    /// What the file at `path` is; nil for one that changed too lately to be remembered.
    private func settledStatus(_ path: String) -> FileStatus? {
        guard let status = try? SystemCall.status(path), status.kind == .file,
            max(status.modified, status.changed) < opened - 2_000_000_000
        else { return nil }
        return status
    }

    // MARK: - Facts

    package func facts(of path: String, variant: String) -> ClipFacts? {
        guard bound.bytes > 0 else { return nil }
        let resolved = Folder.resolved(path)
        guard let status = try? SystemCall.status(resolved) else { return nil }
        let clipCache = FactsFile(path: resolved, variant: variant)
        guard let file = try? RegularFile(FeatureListing.path(self.path, .facts, clipCache.digest), followingLink: false),
            file.size <= FactsFile.maximumLength, let bytes = try? file.bytes(at: 0, count: file.size),
            let facts = clipCache.facts(in: bytes, status)
        else { return nil }
        touch(file)
        return facts
    }

    /// Remembers nothing of a file that changed too lately, as `remember(_:of:sampling:)`.
    package func remember(_ facts: ClipFacts, of path: String, variant: String) {
        guard state.withLock({ $0.isKeeping }) else { return }
        let resolved = Folder.resolved(path)
        guard let status = settledStatus(resolved) else { return }
        let clipCache = FactsFile(path: resolved, variant: variant)
        let target = FeatureListing.path(self.path, .facts, clipCache.digest)
        let bytes = clipCache.bytes(facts, status)
        keep(target) {
            (bytes.count, { try AtomicFile.write(to: target, temporaryFolder: self.path, calls: self.calls) { try $0.write(bytes) } })
        }
    }

    // MARK: - Writing

    /// Writes a file to `target`, of as many bytes and in the way that `prepare` says.
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
            giveUp("the feature cache cannot be written: \(error); going on without it")
        }
    }

    /// Counts a file of `size` bytes; false where there is no room for it.
    private func makeRoom(_ size: Int, _ target: String) -> Bool {
        // The rest is for others: of a large file system a twentieth would be much more than they need.
        if let disk = room(path), disk.free - size < min(1 << 30, disk.size / 20) {
            giveUp("the feature cache is left as it is: its file system is nearly full (\(path.printable))")
            return false
        }
        let isAdmitted = state.withLock { $0.isKeeping && $0.ledger.admit(size, to: target) }
        if !isAdmitted {
            giveUp("the feature cache is left as it is: its \(bound) (\(CacheBound.variable)) have no room for more of this run's features")
        }
        return isAdmitted
    }

    private func publish(_ target: String, _ write: () throws -> Void) throws {
        let shard = PathText.parent(target)
        try makeFolder(shard)
        // Whatever stands there as a folder is left alone.
        guard !FeatureListing.isFolder(target) else { return }
        do {
            try write()
        } catch {
            // Where somebody has cleared the cache meanwhile, once more.
            guard !FeatureListing.isFolder(shard) else { throw error }
            try makeFolder(shard)
            try write()
        }
    }

    /// Throws where a link stands in the folder's place.
    private func makeFolder(_ folder: String) throws {
        try Folder.make(folder)
        if let kind = try? SystemCall.status(folder, followingLink: false).kind, kind != .folder {
            throw VidclassError.file(
                folder, "expected a folder, found a symbolic link (XDG_CACHE_HOME puts the cache elsewhere)", kind: .inputOutput)
        }
    }

    /// Whether the file at `target` is in the folder, and not behind a link.
    private func isInside(_ target: String) -> Bool {
        FeatureListing.isFolder(path) && FeatureListing.isFolder(PathText.parent(target))
    }

    /// Notes that `file` was used, an hour apart at least: runs that follow each other write nothing.
    private func touch(_ file: RegularFile) {
        guard file.status.secondsFromModified > 3600, isInside(file.path) else { return }
        utimensat(AT_FDCWD, file.path, nil, AT_SYMLINK_NOFOLLOW)
    }

    /// Keeps nothing more in this run, and says why, once.
    private func giveUp(_ reason: String) {
        let isFirst = state.withLock { state in
            defer { state.isKeeping = false }
            return state.isKeeping
        }
        if isFirst { note(reason) }
    }
}
