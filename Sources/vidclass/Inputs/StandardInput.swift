import Synchronization
import VidData
import VidSystem

/// A clip, video or sound on standard input, copied to a temporary file: some containers (MP4) are read from their end first, which
/// pipes don't allow.
struct StandardInput {
    /// Its name on the command line, and in JSON and CSV.
    static let name = "-"
    /// Its name for people.
    static let shownName = PipedInput.standard.name

    /// The name of an input for people.
    static func shown(_ input: String) -> String { input == name ? shownName : input }
    /// The largest accepted size: 4 GiB. A stream that is followed may be of any length.
    static let sizeLimit = 4 << 30

    private let file: TemporaryFile
    var path: String { file.path }

    /// Whether nothing is piped in.
    static var isTerminal: Bool { PipedInput.standard.isTerminal }

    /// The first bytes, by which a clip's kind is known: `FileContent.headSize`, or all that there are.
    ///
    /// - Throws: `.badData` if there are none, `.inputOutput`.
    static func head() throws -> [UInt8] {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: FileContent.headSize, alignment: 64)
        defer { block.deallocate() }
        let filled = try PipedInput.standard.fill(block)
        guard filled > 0 else {
            throw VidclassError(.badData, "\(StandardInput.shownName) is empty; expected a clip, video or sound")
        }
        return Array(block.prefix(filled))
    }

    /// Reads standard input to its end. Its first bytes tell the format; if they don't, FFmpeg finds out.
    ///
    /// - Parameter head: the first bytes, if they have been read.
    /// - Throws: `.badData` if it is empty or longer than `sizeLimit`, `.inputOutput` if it cannot be read or copied.
    init(head: [UInt8]? = nil) throws {
        let head = try head ?? StandardInput.head()
        let content = FileContent(head: head)
        let fileExtension = content == nil ? "mp4" : content?.fileExtension
        file = try TemporaryFile(name: "input" + (fileExtension.map { "." + $0 } ?? ""))
        try head.withUnsafeBytes { try file.write($0, at: 0) }
        var size = head.count
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        while true {
            let filled = try PipedInput.standard.fill(block)
            guard filled > 0 else { return }
            guard size + filled <= StandardInput.sizeLimit else {
                throw VidclassError(
                    .badData, "\(StandardInput.shownName) has more than 4 GiB, the most that is read from a pipe. Name a file instead")
            }
            try file.write(UnsafeRawBufferPointer(rebasing: block[..<filled]), at: size)
            size += filled
        }
    }

    /// Standard input from its first bytes on, which have been read, for as long as nobody stops the command.
    static func stream(_ head: [UInt8]) -> StreamSource {
        let input = LiveInput(.standard) { SignalHandling.stopCode != nil }
        let left = Mutex(head)
        return StreamSource(name: shownName) { most in
            let first = left.withLock { bytes in
                defer { bytes.removeFirst(min(most, bytes.count)) }
                return Array(bytes.prefix(most))
            }
            return first.isEmpty ? try await input.next(most) : first
        }
    }

    /// The error with the name of standard input instead of the temporary file's.
    func renamed(_ error: VidclassError) -> VidclassError {
        VidclassError(error.kind, error.message.replacing(path.printable, with: StandardInput.shownName))
    }
}
