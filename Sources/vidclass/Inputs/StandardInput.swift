import VidData
import VidSystem
import VidTensor

/// A clip, video or sound on standard input, brought into a temporary file: some containers (MP4) are read from their end first, and
/// pipes cannot be.
struct StandardInput {
    /// How it is named on the command line, and in JSON and CSV.
    static let name = "-"
    /// How people are told of it.
    static let shownName = "standard input"
    /// The most bytes that are read: 4 GiB.
    static let sizeLimit = 4 << 30

    private let file: TemporaryFile
    var path: String { file.path }

    /// Whether a person would have to type the clip.
    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Reads standard input to its end. What it is is told by its first bytes; where they tell nothing, ffmpeg is to find out.
    ///
    /// Throws `.badData` where it is empty or longer than `sizeLimit`, `.inputOutput` where it cannot be read or kept.
    init() throws {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        var filled = try StandardInput.fill(block)
        guard filled > 0 else {
            throw VidclassError(.badData, "\(StandardInput.shownName) is empty; expected a clip, video or sound")
        }
        let fileExtension = ClipFormat.fileExtension(ofBytes: Array(block.prefix(min(filled, 1024)))) ?? "mp4"
        file = try TemporaryFile(name: "input." + fileExtension)
        var size = 0
        while filled > 0 {
            guard size + filled <= StandardInput.sizeLimit else {
                throw VidclassError(
                    .badData, "\(StandardInput.shownName) has more than 4 GiB; at most that much is taken from a pipe. Name a file instead")
            }
            try file.write(UnsafeRawBufferPointer(rebasing: block[..<filled]), at: size)
            size += filled
            filled = try StandardInput.fill(block)
        }
    }

    /// The error in words that name standard input and not the temporary file.
    func renamed(_ error: VidclassError) -> VidclassError {
        VidclassError(error.kind, error.message.replacing(path.printable, with: StandardInput.shownName))
    }

    /// Reads until `block` is full or the end has come.
    private static func fill(_ block: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < block.count {
            let count = SystemCall.retrying { read(STDIN_FILENO, block.baseAddress.map { $0 + filled }, block.count - filled) }
            if count == 0 { break }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                _ = poll(&waiting, 1, -1)
                continue
            }
            guard count > 0 else {
                throw VidclassError(.inputOutput, "\(shownName) cannot be read: \(SystemCall.reason())")
            }
            filled += count
        }
        return filled
    }
}
