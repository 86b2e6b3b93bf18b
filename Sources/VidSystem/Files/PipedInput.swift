/// A stream that the program that started this one has opened for it: standard input as `-` or `/dev/stdin`, and `/dev/fd/N`, by
/// which shells pass what a command writes, as in `--config <(command)`.
///
/// Other pipes are not read: nobody may be writing into them.
package struct PipedInput {
    /// The stream's name for people.
    package let name: String
    let descriptor: CInt

    /// Standard input.
    package static let standard = PipedInput(name: "standard input", descriptor: STDIN_FILENO)

    package init(name: String, descriptor: CInt) { (self.name, self.descriptor) = (name, descriptor) }

    /// Nil for a path of another kind.
    package init?(_ path: String) {
        if ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(path) {
            self = .standard
            return
        }
        guard let folder = ["/dev/fd/", "/proc/self/fd/"].first(where: path.hasPrefix), let number = CInt(path.dropFirst(folder.count)),
            number > STDERR_FILENO
        else { return nil }
        self.init(name: path, descriptor: number)
    }

    /// Whether a person would have to type the content.
    package var isTerminal: Bool { isatty(descriptor) == 1 }

    /// The stream to its end.
    ///
    /// - Throws: `.badData` if it has more than `limit` bytes, `.inputOutput` if it cannot be read.
    package func contents(limit: Int) throws -> [UInt8] {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        var bytes: [UInt8] = []
        while true {
            let filled = try fill(block)
            if filled == 0 { return bytes }
            guard bytes.count + filled <= limit else {
                throw VidclassError.file(name, "it has more than \(limit) bytes; at most \(limit) are read")
            }
            bytes += block[..<filled]
        }
    }

    /// Reads until `block` is full or the stream ends, and returns the number of bytes.
    ///
    /// - Throws: `.inputOutput`.
    package func fill(_ block: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < block.count {
            let count = SystemCall.retrying { read(descriptor, block.baseAddress.map { $0 + filled }, block.count - filled) }
            if count == 0 { break }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                _ = poll(&waiting, 1, -1)
                continue
            }
            guard count > 0 else { throw VidclassError.file(name, "cannot be read: \(SystemCall.reason())", kind: .inputOutput) }
            filled += count
        }
        return filled
    }
}
