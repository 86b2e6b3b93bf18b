import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file without a place on any disk, gone with this value: on Linux in memory, elsewhere removed as soon as it is made.
package final class MemoryFile {
    /// Opens the file for as long as this value lives.
    package let path: String
    private let descriptor: Int32
    private var size = 0

    /// Throws `.inputOutput` where the system makes none.
    package init(name: String) throws {
        #if os(Linux)
            descriptor = vc_memory_file(name)
            path = "/proc/self/fd/\(descriptor)"
        #else
            var template = Array("/tmp/\(name)-XXXXXX".utf8CString)
            descriptor = mkstemp(&template)
            if descriptor >= 0 { unlink(&template) }
            path = "/dev/fd/\(descriptor)"
        #endif
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
