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
    /// The largest accepted size: 4 GiB.
    static let sizeLimit = 4 << 30

    private let file: TemporaryFile
    var path: String { file.path }

    /// Whether nothing is piped in.
    static var isTerminal: Bool { PipedInput.standard.isTerminal }

    /// Reads standard input to its end. Its first bytes tell the format; if they don't, FFmpeg finds out.
    ///
    /// - Throws: `.badData` if it is empty or longer than `sizeLimit`, `.inputOutput` if it cannot be read or copied.
    init() throws {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        var filled = try PipedInput.standard.fill(block)
        guard filled > 0 else {
            throw VidclassError(.badData, "\(StandardInput.shownName) is empty; expected a clip, video or sound")
        }
        let content = FileContent(head: Array(block.prefix(min(filled, FileContent.headSize))))
        let fileExtension = content == nil ? "mp4" : content?.fileExtension
        file = try TemporaryFile(name: "input" + (fileExtension.map { "." + $0 } ?? ""))
        var size = 0
        while filled > 0 {
            guard size + filled <= StandardInput.sizeLimit else {
                throw VidclassError(
                    .badData, "\(StandardInput.shownName) has more than 4 GiB, the most that is read from a pipe. Name a file instead")
            }
            try file.write(UnsafeRawBufferPointer(rebasing: block[..<filled]), at: size)
            size += filled
            filled = try PipedInput.standard.fill(block)
        }
    }

    /// The error with the name of standard input instead of the temporary file's.
    func renamed(_ error: VidclassError) -> VidclassError {
        VidclassError(error.kind, error.message.replacing(path.printable, with: StandardInput.shownName))
    }
}
