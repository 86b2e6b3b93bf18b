internal import CLinux

/// An anonymous file in memory, which is freed with this value.
package final class MemoryFile {
    /// A path that opens the file while this value exists.
    package let path: String
    package let descriptor: Int32
    package private(set) var size = 0

    /// Throws `.inputOutput` if the system cannot make the file.
    package init(name: String) throws {
        descriptor = vc_memory_file(name)
        path = "/proc/self/fd/\(descriptor)"
        guard descriptor >= 0 else {
            throw VidclassError(.inputOutput, "\(name): cannot make a file in memory: \(SystemCall.reason())")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends `bytes`.
    package func append(_ bytes: UnsafeRawBufferPointer) throws {
        let code = SystemCall.write(bytes, to: descriptor, at: size, calls: .posix)
        guard code == 0 else { throw VidclassError(.inputOutput, "cannot write to a file in memory: \(SystemCall.reason(code))") }
        size += bytes.count
    }
}
