import VidData
import VidSystem

/// A clip, video or sound on standard input, copied to a temporary file: some containers (MP4) are read from their end first, which
/// pipes don't allow.
struct StandardInput {
    /// Its name on the command line, and in JSON and CSV.
    static let name = "-"
    /// Its name for people.
    static let shownName = "standard input"

    /// The name of an input for people.
    static func shown(_ input: String) -> String { input == name ? shownName : input }
    /// The largest accepted size: 4 GiB.
    static let sizeLimit = 4 << 30

    private let file: TemporaryFile
    var path: String { file.path }

    /// Whether nothing is piped in.
    static var isTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Reads standard input to its end. Its first bytes tell the format; if they don't, ffmpeg finds out.
    ///
    /// - Throws: `.badData` if it is empty or longer than `sizeLimit`, `.inputOutput` if it cannot be read or copied.
    init() throws {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        var filled = try StandardInput.fill(block, from: STDIN_FILENO, StandardInput.shownName)
        guard filled > 0 else {
            throw VidclassError(.badData, "\(StandardInput.shownName) is empty; expected a clip, video or sound")
        }
        let fileExtension = ClipFormat.fileExtension(ofBytes: Array(block.prefix(min(filled, 1024)))) ?? "mp4"
        file = try TemporaryFile(name: "input." + fileExtension)
        var size = 0
        while filled > 0 {
            guard size + filled <= StandardInput.sizeLimit else {
                throw VidclassError(
                    .badData, "\(StandardInput.shownName) has more than 4 GiB, the most that is read from a pipe. Name a file instead")
            }
            try file.write(UnsafeRawBufferPointer(rebasing: block[..<filled]), at: size)
            size += filled
            filled = try StandardInput.fill(block, from: STDIN_FILENO, StandardInput.shownName)
        }
    }

    /// The error with the name of standard input instead of the temporary file's.
    func renamed(_ error: VidclassError) -> VidclassError {
        VidclassError(error.kind, error.message.replacing(path.printable, with: StandardInput.shownName))
    }

    /// All bytes of a file or pipe, by default standard input.
    ///
    /// - Throws: `.badData` if there are more than `limit`, `.inputOutput` if they cannot be read.
    static func bytes(of descriptor: Int32 = STDIN_FILENO, name: String = shownName, limit: Int) throws -> [UInt8] {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        var bytes: [UInt8] = []
        while true {
            let filled = try fill(block, from: descriptor, name)
            if filled == 0 { return bytes }
            guard bytes.count + filled <= limit else {
                throw VidclassError.file(name, "has more than \(limit >> 20) MiB, the most that is read")
            }
            bytes += block[..<filled]
        }
    }

    /// Reads until `block` is full or the input ends.
    private static func fill(_ block: UnsafeMutableRawBufferPointer, from descriptor: Int32, _ name: String) throws -> Int {
        var filled = 0
        while filled < block.count {
            let count = SystemCall.retrying { read(descriptor, block.baseAddress.map { $0 + filled }, block.count - filled) }
            if count == 0 { break }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = poll(&waiting, 1, -1)
                continue
            }
            guard count > 0 else {
                throw VidclassError(.inputOutput, "\(name.printable) cannot be read: \(SystemCall.reason())")
            }
            filled += count
        }
        return filled
    }
}
