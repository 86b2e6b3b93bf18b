import VidConfig
import VidData
import VidSystem
import VidTensor

/// The program and machine of a run: `environment.json`.
package struct RunEnvironment: Sendable {
    package var version: String
    package var system: String
    package var kernel: String
    package var architecture: String
    package var processor: String
    package var vectorExtensions: [String]
    package var simd: String
    package var processors: Int
    package var threads: Int
    package var memoryBytes: Int
    package var blas: String
    package var blasKernel: String
    package var isBlasKernelUsers: Bool
    /// The version of FFmpeg's libraries, which read videos and sounds; nil if they are not installed.
    package var libav: String?
    package var swift: String

    /// This machine and process.
    package init(version: String, threads: Int) {
        self.version = version
        self.threads = threads
        libav = MediaService.library.version
        system = RunEnvironment.systemName
        (kernel, architecture) = RunEnvironment.kernelName
        processor = Machine.processorName
        vectorExtensions = Machine.vectorExtensions
        simd = Machine.simdLevel
        processors = Workers.processorCount
        memoryBytes = Machine.memoryBytes
        blas = BLAS.configuration
        blasKernel = BLAS.coreName
        isBlasKernelUsers = BLAS.coreIsUsers
        swift = RunEnvironment.compiler
    }

    package var document: JSONNode {
        .object([
            ("vidclass", .string(version)), ("system", .string(system)), ("kernel", .string(kernel)),
            ("architecture", .string(architecture)), ("processor", .string(processor)),
            ("vector_extensions", .array(vectorExtensions.map { .string($0) })), ("simd", .string(simd)),
            ("processors", .integer(processors)), ("threads", .integer(threads)), ("memory_bytes", .integer(memoryBytes)),
            ("blas_version", .string(blas)), ("blas_kernel", .string(blasKernel)), ("blas_kernel_set_by_user", .bool(isBlasKernelUsers)),
            ("libav", .string(ifAny: libav)), ("swift", .string(swift)),
        ])
    }

    /// Writes the file completely or not at all.
    package func write(to path: String) throws { try document.write(to: path) }

    /// The rows of a table.
    package var facts: [(label: String, value: String)] {
        [
            ("vidclass", version), ("system", "\(system), \(kernel), \(architecture)"), ("processor", processor),
            ("vectors", vectorExtensions.joined(separator: " ") + "; \(simd) used"),
            ("threads", "\(threads) of \(Formatting.count(processors, "processor"))"), ("memory", Formatting.bytes(memoryBytes)),
            ("BLAS", "\(blas), kernel \(blasKernel)" + (isBlasKernelUsers ? " (OPENBLAS_CORETYPE was set)" : "")),
            ("FFmpeg", libav ?? "not found"), ("compiler", swift),
        ]
    }

    private static var systemName: String {
        let lines = (try? RegularFile.contents("/etc/os-release", limit: 1 << 16)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for line in lines.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
            return line.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
        }
        return "unknown system"
    }

    private static var kernelName: (String, String) {
        var names = utsname()
        guard uname(&names) == 0 else { return ("unknown kernel", "unknown architecture") }
        func text<Value>(_ value: Value) -> String {
            withUnsafeBytes(of: value) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return ("\(text(names.sysname)) \(text(names.release))", text(names.machine))
    }

    private static var compiler: String {
        #if compiler(>=6.4)
            "Swift 6.4 or newer"
        #elseif compiler(>=6.3)
            "Swift 6.3"
        #else
            "Swift 6.2"
        #endif
    }
}
