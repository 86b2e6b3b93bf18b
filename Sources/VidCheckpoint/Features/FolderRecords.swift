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

        init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    /// - Parameter cache: the feature folder.
    init(_ kind: FeatureListing.Kind, in cache: String) {
        precondition(kind != .features, "features are not kept in records")
        (self.kind, self.cache) = (kind, cache)
    }

    /// Looks up the records about some clips. Those of one folder in the order of their names are the quickest.
    ///
    /// - Parameters:
    ///   - opened: receives a file of records when it is read.
    ///   - found: called with the place of each clip whose file is unchanged and of which there is a record, and the record's content.
    func contents(
        of clips: [CachedClip], opened: (RegularFile) -> Void, found: (_ place: Int, _ content: UnsafeRawBufferPointer) -> Void
    ) {
        /// The clips of a folder, as it is asked for.
        struct Group {
            let folder: Substring.UTF8View
            var places: [Int] = []
            var questions: [RecordFile.Question] = []
        }
        var groups: [Group] = []
        var numbers: [PathBytes: Int] = [:]
        var last = 0
        for (place, clip) in clips.enumerated() {
            guard let own = ClipPlace(clip.path, clip.status) else { continue }
            if groups.isEmpty || !groups[last].folder.elementsEqual(own.folder) {
                last = numbers[PathBytes(own.folder), default: groups.count]
                if last == groups.count {
                    numbers[PathBytes(own.folder)] = last
                    groups.append(Group(folder: own.folder))
                }
            }
            groups[last].places.append(place)
            groups[last].questions.append(
                RecordFile.Question(key: RecordFile.Key(name: own.name, variant: clip.variant), status: own.status))
        }
        for group in groups {
            // Those that are new, by their places in the group; the others may be in the file.
            let (new, file) = state.withLock { state -> ([Int: RecordFile.Record], RecordFile?) in
                let folder = folder(group.folder, &state, opened)
                state.folders[folder]?.asked += group.places.count
                guard let records = state.folders[folder] else { return ([:], nil) }
                guard !records.new.isEmpty else { return ([:], records.file) }
                let new = group.questions.enumerated().compactMap { number, question in records.new[question.key].map { (number, $0) } }
                return (Dictionary(uniqueKeysWithValues: new), records.file)
            }
            for (number, record) in new where record.status == group.questions[number].status {
                record.content.withUnsafeBytes { found(group.places[number], $0) }
            }
            file?.contents(group.questions) { number, content in
                if new[number] == nil { found(group.places[number], content) }
            }
        }
    }

    /// Adds a record about the clip at `path`, if `accepts` its status.
    ///
    /// - Returns: whether it is time to save.
    func remember(_ content: [UInt8], _ path: String, _ variant: String, accepts: (FileStatus) -> Bool) -> Bool {
        guard let clip = ClipPlace(path, nil), accepts(clip.status) else { return false }
        let key = RecordFile.Key(name: clip.name, variant: variant)
        guard content.count <= RecordTable.longest, key.bytes.count <= RecordTable.longest else { return false }
        return state.withLock { state in
            let folder = folder(clip.folder, &state) { _ in }
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

    /// The resolved folder, whose records are loaded.
    private func folder(_ asked: Substring.UTF8View, _ state: inout State, _ opened: (RegularFile) -> Void) -> PathBytes {
        let asked = PathBytes(asked)
        if let folder = state.resolved[asked] { return folder }
        let folder = PathBytes(Folder.resolved(asked.text).utf8)
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
        (try? Folder.names(folder.text).names).map { Set($0.map { PathBytes($0.utf8) }) }
    }

    private static func isPresent(_ key: RecordFile.Key, _ names: Set<PathBytes>) -> Bool {
        let name = key.name
        if names.contains(PathBytes(name)) { return true }
        guard let mark = name.lastIndex(of: UInt8(ascii: "#")) else { return false }
        return names.contains(PathBytes(name[..<mark]))
    }
}

/// Where a clip's file is, and its status.
private struct ClipPlace {
    /// As in the clip's address.
    let folder: Substring.UTF8View
    /// With the segment.
    let name: Substring.UTF8View
    let status: FileStatus

    /// Nil if nothing is there. A clip that is reached by a link is that which the link leads to.
    ///
    /// - Parameter known: the status of the file, if it was looked at and is a file under its own name.
    init?(_ path: String, _ known: FileStatus?) {
        let address = ClipPath(path)
        var file = address.file
        guard var status = try? known ?? SystemCall.status(file, followingLink: false) else { return nil }
        if known == nil {
            if status.kind == .other || !ClipPlace.hasPlainName(file) { file = Folder.resolved(file) }
            if status.kind != .file {
                guard let other = try? FileStatus(ofClip: file) else { return nil }
                status = other
            }
        }
        self.status = status
        let bytes = file[...].utf8
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        folder = slash.map { $0 == bytes.startIndex ? "/"[...].utf8 : bytes[..<$0] } ?? "."[...].utf8
        let own = slash.map { bytes[bytes.index(after: $0)...] } ?? bytes
        name = address.segment.map { "\(Substring(own))#\($0.text)"[...].utf8 } ?? own
    }

    /// Whether the path ends in the name of a file or folder, not in a slash or dots.
    private static func hasPlainName(_ path: String) -> Bool {
        guard let last = path.utf8.last else { return false }
        return last != UInt8(ascii: "/") && (last != UInt8(ascii: ".") || ![".", ".."].contains(PathText.name(path)))
    }
}
