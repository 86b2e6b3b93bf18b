import VidData
import VidSystem

/// The CSV of `predict --watch`, to which the rows of each clip are appended when it is done.
///
/// It is its own journal. The last row of each clip has the size and the time of the clip's file and a print of the settings; these columns are
/// empty in its other rows. So the rows of a clip are complete if its last row is there: whatever follows the last such row was being
/// written when the program was killed, and is cut off. Rows are on the disk before the next clip is begun.
final class WatchedFile {
    let path: String
    private let settings: String
    private let descriptor: Int32
    private let identity: FileStatus.Identity
    private var size = 0
    private var done: [String: State] = [:]

    private struct State: Equatable {
        let size: Int
        let modified: Int64
    }

    /// The columns at the end.
    private static let ownColumns = ["size", "modified", "settings"]

    /// The number of clips that are in the file.
    var count: Int { done.count }

    /// Opens the file, or makes it, and keeps other processes from it.
    ///
    /// - Parameters:
    ///   - columns: of the results; the first one has the clip's name.
    ///   - settings: a print of everything that a result depends on besides its clip.
    /// - Throws: `.busy` if another process writes the file, `.badData` if it has results of other settings or is something else, `.usage` if
    ///   `path` is a device or pipe, `.inputOutput`.
    init(_ path: String, columns: [String], settings: String) throws {
        try AtomicFile.check(path)
        (self.path, self.settings) = (path, settings)
        descriptor = SystemCall.retrying { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o666) }
        guard descriptor >= 0 else {
            throw VidclassError.file(path, "cannot be written: \(SystemCall.reason())", kind: .inputOutput)
        }
        identity = try SystemCall.status(path).identity
        // guard: one-watcher-per-file
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else {
                throw VidclassError.file(
                    path, "cannot be locked: \(SystemCall.reason()). The file system has no locks; write to another one", kind: .inputOutput
                )
            }
            throw VidclassError.file(path, "another vidclass appends to it. Stop that one, or write to another file", kind: .busy)
        }
        let header = Array(CSVText.line(columns + WatchedFile.ownColumns).utf8)
        let bytes = try RegularFile.contents(path, limit: WatchedFile.mostBytes)
        if bytes.count < header.count, header.starts(with: bytes) {
            // New, or killed within the first line.
            try truncate(to: 0)
            try append(header)
            try Folder.sync(PathText.parent(path))
            return
        }
        guard bytes.starts(with: header) else {
            throw VidclassError.file(
                path, "is no table of predict --watch with these options, and is left alone",
                advice: [
                    "Its first line must be \(String(decoding: header.dropLast(), as: UTF8.self)). Write to another file with --output."
                ])
        }
        try take(bytes[..<WatchedFile.end(of: bytes, header.count)], columns.count)
        try truncate(to: size)
    }

    deinit { close(descriptor) }

    private static let mostBytes = 256 << 20

    /// The end of the last row that ends a clip: a line end outside of quotes whose row's last column is not empty.
    private static func end(of bytes: [UInt8], _ header: Int) -> Int {
        var (end, isQuoted) = (header, false)
        for place in header..<bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\n") where !isQuoted && bytes[place - 1] != UInt8(ascii: ","): end = place + 1
            default: break
            }
        }
        return end
    }

    /// Takes the clips of an earlier command from its rows.
    private func take(_ bytes: ArraySlice<UInt8>, _ place: Int) throws {
        size = bytes.count
        for record in try CSVTable(Array(bytes), path: path).records where !record.fields[place + 2].isEmpty {
            guard record.fields[place + 2] == settings else {
                throw VidclassError.file(
                    path, "line \(record.line): it has results of another model or other settings",
                    advice: ["Repeat the command with those, or write to another file with --output."])
            }
            guard let size = DecimalText.whole(record.fields[place]), let modified = Int64(record.fields[place + 1]) else {
                throw VidclassError.file(path, "line \(record.line): expected a size and a time in the columns size and modified")
            }
            done[record.fields[0]] = State(size: size, modified: modified)
        }
    }

    /// Whether the results of a clip are in the file, and the clip has not changed since.
    func isDone(_ clip: SettledClip) -> Bool { done[clip.name] == State(size: clip.status.size, modified: clip.status.modified) }

    /// Appends the rows of a clip, at least one, all or none of them.
    ///
    /// - Throws: `.inputOutput`; the file then ends with the clip before.
    func add(_ rows: [[String]], of clip: SettledClip) throws {
        let empty = [String](repeating: "", count: WatchedFile.ownColumns.count)
        let own = ["\(clip.status.size)", "\(clip.status.modified)", settings]
        let lines = rows.enumerated().map { CSVText.line($1 + ($0 == rows.count - 1 ? own : empty)) }
        try append(Array(lines.joined().utf8))
        done[clip.name] = State(size: clip.status.size, modified: clip.status.modified)
    }

    private func append(_ bytes: [UInt8]) throws {
        guard let status = try? SystemCall.status(path), status.identity == identity, status.size == size else {
            throw VidclassError.file(path, "another program has changed or replaced it; repeat the command", kind: .inputOutput)
        }
        var code = bytes.withUnsafeBytes { SystemCall.write($0, to: descriptor, at: size) }
        if code == 0, fdatasync(descriptor) != 0 { code = errno }
        guard code == 0 else {
            try? truncate(to: size)
            throw VidclassError.file(path, "cannot be written: \(SystemCall.reason(code))", kind: .inputOutput)
        }
        size += bytes.count
    }

    private func truncate(to size: Int) throws {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw VidclassError.file(path, "cannot be written: \(SystemCall.reason())", kind: .inputOutput)
        }
    }
}
