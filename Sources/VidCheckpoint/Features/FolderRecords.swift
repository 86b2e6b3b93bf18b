import Synchronization
import VidData
import VidSystem

/// Remembers facts about clips while their files are unchanged. Each folder of clips has one `RecordFile`, which is read once.
///
/// New records stay in memory until they are saved. A process adds them to the file as it is then; if two save those of one folder in
/// the same moment, the records of one can be lost, and their clips are read again.
final class FolderRecords: Sendable {
    private let kind: FeatureListing.Kind
    private let cache: String
    private let state = Mutex(State())

    private struct State {
        /// The folders without symbolic links, by their paths as they were asked for.
        var resolved: [PathBytes: PathBytes] = [:]
        /// By resolved folder.
        var folders: [PathBytes: Records] = [:]
        var lastSaved = ContinuousClock.now
        var saving = Duration.zero
    }

    private struct Records {
        var file: RecordFile?
        var new: [RecordFile.Key: RecordFile.Record] = [:]
        /// How often a record was asked for.
        var asked = 0
    }

    /// A path, compared byte by byte.
    private struct PathBytes: Hashable {
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }

        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    /// - Parameter cache: the feature folder.
    init(_ kind: FeatureListing.Kind, in cache: String) {
        precondition(kind != .features, "features are not kept in records")
        (self.kind, self.cache) = (kind, cache)
    }

    /// The content of the record about the clip at `path`; nil if there is none, or the file has changed.
    ///
    /// - Parameter opened: receives a file of records when it is read.
    func content(_ path: String, _ variant: String, opened: (RegularFile) -> Void) -> [UInt8]? {
        guard let clip = ClipPlace(path) else { return nil }
        let key = RecordFile.Key(name: clip.name, variant: variant)
        let (new, file) = state.withLock { state in
            let folder = folder(of: clip, &state, opened)
            state.folders[folder]?.asked += 1
            return (state.folders[folder]?.new[key], state.folders[folder]?.file)
        }
        guard let new else { return file?.content(key, clip.status) }
        return new.status == clip.status ? new.content : nil
    }

    /// Adds a record about the clip at `path`, if `accepts` its status.
    ///
    /// - Returns: whether it is time to save.
    func remember(_ content: [UInt8], _ path: String, _ variant: String, accepts: (FileStatus) -> Bool) -> Bool {
        guard let clip = ClipPlace(path), accepts(clip.status) else { return false }
        let key = RecordFile.Key(name: clip.name, variant: variant)
        guard content.count <= RecordFile.longest, key.bytes.count <= RecordFile.longest else { return false }
        return state.withLock { state in
            let folder = folder(of: clip, &state) { _ in }
            state.folders[folder]?.new[key] = RecordFile.Record(status: clip.status, content: content)
            return ContinuousClock.now - state.lastSaved > max(FolderRecords.interval, state.saving * 20)
        }
    }

    /// New records are saved after so long, and so rarely that this takes a twentieth of the time at most.
    private static let interval = Duration.seconds(5)

    /// Hands over the files with new records.
    ///
    /// - Parameters:
    ///   - isLast: whether to forget what is in memory.
    ///   - write: writes a file; returns false if it cannot.
    func save(isLast: Bool, _ write: (_ target: String, _ image: RecordFile.Image) -> Bool) {
        state.withLock { state in
            let start = ContinuousClock.now
            for (folder, records) in state.folders where !records.new.isEmpty {
                var old = records.file
                // Another process may have replaced the file, or removed it.
                if (try? SystemCall.status(path(folder), followingLink: false).identity) != old?.file.status.identity { old = open(folder) }
                let names = mostAreUnused(old, records) ? presentNames(folder) : nil
                let image = RecordFile.image(records.new, after: old, place: place(folder)) { key in
                    names.map { FolderRecords.isPresent(key, $0) } ?? true
                }
                guard write(path(folder), image) else { continue }
                state.folders[folder] = Records(file: isLast ? nil : open(folder))
            }
            if isLast { (state.folders, state.resolved) = ([:], [:]) }
            state.lastSaved = .now
            state.saving = state.lastSaved - start
        }
    }

    // MARK: - Folders

    /// The resolved folder of the clip, whose records are loaded.
    private func folder(of clip: ClipPlace, _ state: inout State, _ opened: (RegularFile) -> Void) -> PathBytes {
        let asked = PathBytes(bytes: Array(clip.folder.utf8))
        if let folder = state.resolved[asked] { return folder }
        let folder = PathBytes(bytes: Array(Folder.resolved(clip.folder).utf8))
        state.resolved[asked] = folder
        if state.folders[folder] == nil {
            let file = open(folder)
            if let file { opened(file.file) }
            state.folders[folder] = Records(file: file)
        }
        return folder
    }

    private func open(_ folder: PathBytes) -> RecordFile? { try? RecordFile(path(folder), place: place(folder)) }

    private func place(_ folder: PathBytes) -> [UInt8] { Array("\(kind.rawValue)\0".utf8) + folder.bytes }

    private func path(_ folder: PathBytes) -> String {
        FeatureListing.path(cache, kind, SHA256.digest(place(folder)).hexadecimal)
    }

    // MARK: - Clips that are gone

    /// Whether most records were not asked for: they may be those of clips that are gone.
    private func mostAreUnused(_ old: RecordFile?, _ records: Records) -> Bool {
        (old?.count ?? 0) / 2 > records.asked + records.new.count
    }

    private func presentNames(_ folder: PathBytes) -> Set<PathBytes>? {
        (try? Folder.names(folder.text).names).map { Set($0.map { PathBytes(bytes: Array($0.utf8)) }) }
    }

    private static func isPresent(_ key: RecordFile.Key, _ names: Set<PathBytes>) -> Bool {
        let name = key.name
        if names.contains(PathBytes(bytes: Array(name))) { return true }
        guard let mark = name.lastIndex(of: UInt8(ascii: "#")) else { return false }
        return names.contains(PathBytes(bytes: Array(name[..<mark])))
    }
}

/// Where a clip's file is, and its status.
private struct ClipPlace {
    /// As in the clip's address.
    let folder: String
    /// With the segment.
    let name: String
    let status: FileStatus

    /// Nil if nothing is there. A clip that is reached by a link is that which the link leads to.
    init?(_ path: String) {
        let address = ClipPath(path)
        var file = address.file
        guard var status = try? SystemCall.status(file, followingLink: false) else { return nil }
        if status.kind == .other || !ClipPlace.hasPlainName(file) { file = Folder.resolved(file) }
        if status.kind != .file {
            guard let other = try? FileStatus(ofClip: file) else { return nil }
            status = other
        }
        guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            self.init(folder: ".", file: file, address.segment, status)
            return
        }
        let folder = slash == file.startIndex ? "/" : String(file[..<slash])
        self.init(folder: folder, file: String(file[file.utf8.index(after: slash)...]), address.segment, status)
    }

    private init(folder: String, file: String, _ segment: ClipSegment?, _ status: FileStatus) {
        (self.folder, self.status) = (folder, status)
        name = segment.map { "\(file)#\($0.text)" } ?? file
    }

    /// Whether the path ends in the name of a file or folder, not in a slash or dots.
    private static func hasPlainName(_ path: String) -> Bool {
        guard let last = path.utf8.last else { return false }
        return last != UInt8(ascii: "/") && (last != UInt8(ascii: ".") || ![".", ".."].contains(PathText.name(path)))
    }
}
