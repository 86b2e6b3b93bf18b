internal import CLinux

/// An anonymous file in memory, freed with this value.
package final class MemoryFile {
    /// Opens the file for as long as this value lives.
    package let path: String
    private let descriptor: Int32
    private var size = 0

    /// Throws `.inputOutput` where the system makes none.
    package init(name: String) throws {
        descriptor = vc_memory_file(name)
        path = "/proc/self/fd/\(descriptor)"
        guard descriptor >= 0 else {
            throw VidclassError(.inputOutput, "\(name): no file in memory could be made: \(SystemCall.reason())")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Adds `bytes` at the end.
    package func append(_ bytes: UnsafeRawBufferPointer) throws {
        let code = SystemCall.write(bytes, to: descriptor, at: size, calls: .posix)
        guard code == 0 else { throw VidclassError(.inputOutput, "a file in memory cannot grow: \(SystemCall.reason(code))") }
        size += bytes.count
    }
}
