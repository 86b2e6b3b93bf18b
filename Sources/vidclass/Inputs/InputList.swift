import ArgumentParser
import VidData
import VidSystem

/// The paths in the file of `--input-list`: one a line or, if the file has NUL characters, one before each of them, as `find -print0`
/// writes them. Blank lines are passed over.
struct InputList {
    /// One path with its place in the file, from 1.
    struct Entry {
        let number: Int
        /// The path; if it isn't valid UTF-8, with replacement characters.
        let path: String
        let isText: Bool
    }

    /// The file's name for people.
    let name: String
    let entries: [Entry]
    private let unit: String

    /// The largest list in bytes: some millions of paths.
    private static let sizeLimit = 256 << 20
    /// Linux takes no longer path.
    private static let mostBytes = 4096

    /// Whether `path` is standard input.
    static func isStandardInput(_ path: String) -> Bool { path == StandardInput.name || path == "/dev/stdin" }

    /// Reads the list at `path`, a file or a pipe; `-` is standard input.
    ///
    /// - Throws: `.missingInput` if there is no such file, `.badData` if it names nothing or is no list.
    init(_ path: String) throws {
        let name = InputList.isStandardInput(path) ? StandardInput.shownName : path
        try self.init(InputList.bytes(path, name), name: name)
    }

    init(_ bytes: [UInt8], name: String) throws {
        self.name = name
        if FileContent(head: Array(bytes.prefix(FileContent.headSize)))?.fileExtension != nil {
            throw VidclassError.file(name, "is a clip, video or sound, not a list of paths; name it without --input-list")
        }
        let hasNUL = bytes.contains(0)
        unit = hasNUL ? "path" : "line"
        var entries: [Entry] = []
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let parts = bytes[start...].split(separator: hasNUL ? 0 : UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let text = !hasNUL && part.last == UInt8(ascii: "\r") ? part.dropLast() : part
            if text.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            guard text.count <= InputList.mostBytes else {
                throw VidclassError.file(
                    name,
                    "\(unit) \(index + 1) has \(text.count) bytes; no path is longer than \(InputList.mostBytes). Is it a list of paths?")
            }
            let valid = String(validating: text, as: UTF8.self)
            // A file that is named "-" is not standard input.
            let path = valid ?? String(decoding: text, as: UTF8.self)
            entries.append(Entry(number: index + 1, path: path == StandardInput.name ? "./-" : path, isText: valid != nil))
        }
        guard !entries.isEmpty else { throw VidclassError.file(name, "names no inputs; expected one path a line") }
        self.entries = entries
    }

    /// The error with the place of an entry in front.
    func placed(_ error: VidclassError, _ number: Int) -> VidclassError {
        VidclassError(error.kind, "\(name.printable): \(unit) \(number): \(error.message)")
    }

    private static func bytes(_ path: String, _ name: String) throws -> [UInt8] {
        if isStandardInput(path) { return try PipedInput.standard.contents(limit: sizeLimit) }
        try SystemCall.checkPath(path)
        if try SystemCall.status(path).kind == .folder {
            throw VidclassError.file(path, "is a folder, not a file with a list of paths; name it without --input-list")
        }
        // Also a pipe, as the shell's <(...) makes it.
        let descriptor = SystemCall.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) }
        guard descriptor >= 0 else { throw SystemCall.error("open it", path) }
        defer { close(descriptor) }
        return try PipedInput(name: name, descriptor: descriptor).contents(limit: sizeLimit)
    }
}
