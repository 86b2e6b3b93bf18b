import VidData
import VidReport
import VidSystem

/// The file of `--output`, which appears when it is complete.
///
/// Until then, a journal beside it has a line of JSON for each input that succeeded: `{"input", "size", "modified", "result"}` with the
/// bytes and the time of the clip's file. Its first line tells the settings. A stopped command that is repeated takes the results of the
/// journal and goes on with the other inputs. A line that is not complete belongs to an input that was not: it is dropped.
final class PredictionFile {
    let path: String
    private var journal: String { path + ".partial" }
    private let descriptor: Int32
    private var kept: [String: JSONNode] = [:]
    private var size = 0
    /// The results so far, in the order of the inputs.
    private var results: [String] = []
    private var cleanup: Int?

    /// Opens the journal, with the results of a stopped command.
    ///
    /// - Parameters:
    ///   - settings: everything that a result depends on besides the input.
    ///   - isKept: whether the journal outlives a stopped command, and the user is told so.
    /// - Throws: `.busy` if another process writes the file, `.badData` if the journal belongs to other settings or is no journal, `.usage`
    ///   if `path` is a device or pipe, `.inputOutput`.
    init(_ path: String, settings: JSONNode, isKept: Bool = true) throws {
        try AtomicFile.check(path)
        self.path = path
        let journal = path + ".partial"
        descriptor = SystemCall.retrying { open(journal, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666) }
        guard descriptor >= 0 else {
            throw VidclassError.file(path, "cannot be written: \(SystemCall.reason())", kind: .inputOutput)
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw VidclassError.file(path, "another vidclass is writing it", kind: .busy)
        }
        let head = JSONNode.object([("settings", settings)])
        let lines = try PredictionFile.lines(journal, head: head)
        if let first = lines.first {
            guard first.node["settings"]?.text() == settings.text() else {
                throw VidclassError.file(
                    journal, "has the results of a stopped command with another model or other settings",
                    advice: ["Repeat that command, remove the file, or write to another one with --output."])
            }
            for line in lines.dropFirst() {
                if let input = line.node["input"]?.stringValue { kept[input] = line.node }
            }
            size = lines.last?.end ?? 0
        }
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw VidclassError.file(journal, "cannot be written: \(SystemCall.reason())", kind: .inputOutput)
        }
        if lines.isEmpty { try append(head) }
        guard isKept else { return }
        // A signal ends the command at once.
        cleanup = SignalHandling.add {
            Terminal.note(
                Terminal.fitted("interrupted; the finished inputs are in \(journal.printable). Repeat the command to go on."))
        }
    }

    deinit {
        if let cleanup { SignalHandling.remove(cleanup) }
        close(descriptor)
    }

    /// The complete lines of a journal, each with the place of its end. None if it is empty, or if `head`, its first line, was being written.
    ///
    /// Throws if the file is something else.
    private static func lines(_ journal: String, head: JSONNode) throws -> [(node: JSONNode, end: Int)] {
        let bytes = try RegularFile.contents(journal, limit: 1 << 32)
        if head.text().utf8.starts(with: bytes) { return [] }
        var lines: [(node: JSONNode, end: Int)] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")), let node = try? JSONParser.parse(Array(bytes[start..<end])) {
            start = end + 1
            lines.append((node, start))
        }
        guard lines.first?.node["settings"] != nil else {
            throw VidclassError.file(
                journal, "is not a file of vidclass, and is left alone",
                advice: ["Its name is needed for the results of a stopped command. Rename it, or write to another file with --output."])
        }
        return lines
    }

    /// The number of inputs whose results are kept.
    var count: Int { kept.count }

    /// The result that is kept of an input, if its file has not changed since.
    func result(of input: String, at path: String) -> String? {
        guard let line = kept[input], let status = PredictionFile.status(path), line["size"]?.intValue == status.size,
            line["modified"]?.intValue == Int(status.modified)
        else { return nil }
        return line["result"]?.stringValue
    }

    private static func status(_ clip: String) -> FileStatus? { try? FileStatus(ofClip: ClipPath(clip).file) }

    /// Takes the result of an input.
    ///
    /// - Parameter clip: its file, so that the result can be kept; nil if the input failed or cannot be read again.
    func add(_ result: String, _ input: String, _ clip: String?) throws {
        results.append(result)
        guard let clip, let status = PredictionFile.status(clip) else { return }
        try append(
            .object([
                ("input", .string(input)), ("size", .integer(status.size)), ("modified", .integer(Int(status.modified))),
                ("result", .string(result)),
            ]))
    }

    /// Takes a result that was kept.
    func addKept(_ result: String) { results.append(result) }

    private func append(_ line: JSONNode) throws {
        let bytes = Array((line.text() + "\n").utf8)
        let code = bytes.withUnsafeBytes { SystemCall.write($0, to: descriptor, at: size) }
        guard code == 0 else {
            throw VidclassError.file(path, "cannot be written: \(SystemCall.reason(code))", kind: .inputOutput)
        }
        size += bytes.count
    }

    /// Writes the results between `start` and `end`, complete or not at all, and removes the journal.
    func finish(start: String, separator: String, end: String) throws {
        try AtomicFile.write(to: path, followingLink: true) { file in
            try file.write(start.utf8)
            for (number, result) in results.enumerated() { try file.write(((number > 0 ? separator : "") + result).utf8) }
            try file.write(end.utf8)
        }
        unlink(journal)
    }
}
