internal import CLinux

/// The machine's processor and memory, and this process's share of the memory. Unknown numbers are 0.
package enum Machine {
    /// The kernel's name of the processor.
    package static var processorName: String {
        value(of: "model name", in: "/proc/cpuinfo") ?? "unknown processor"
    }

    /// The machine's name in its network.
    package static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown host" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The number of processors this process may run on.
    package static var processorCount: Int { Int(vc_processor_count()) }

    /// Bytes of memory in total.
    package static var memoryBytes: Int { max(0, sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) }

    /// Bytes that can be allocated without swapping (MemAvailable); if unknown, all memory.
    package static var availableBytes: Int { bytes("MemAvailable", in: "/proc/meminfo") ?? memoryBytes }

    /// Bytes of this process's address space (VmSize).
    package static var addressSpaceBytes: Int { bytes("VmSize", in: "/proc/self/status") ?? 0 }

    /// Bytes that this process can still allocate: the machine's available memory, or less if the process's is limited.
    package static var grantableBytes: Int { max(0, min(availableBytes, limitedBytes)) }

    /// Bytes that the limits of this process's address space and data (`ulimit -v`, `ulimit -d`) still leave.
    package static var limitedBytes: Int {
        min(
            Int(clamping: vc_address_space_limit()) - addressSpaceBytes,
            Int(clamping: vc_data_limit()) - (bytes("VmData", in: "/proc/self/status") ?? 0))
    }

    /// Advice for a process that runs out of memory, without a full stop.
    package static var memoryAdvice: String {
        limitedBytes < availableBytes
            ? "Raise the limits of this process's memory (ulimit -v, ulimit -d)" : "Close other programs, or use a machine with more memory"
    }

    /// The most bytes of this process that have been resident so far (VmHWM).
    package static var peakResidentBytes: Int { bytes("VmHWM", in: "/proc/self/status") ?? 0 }

    /// Bytes of this process that are resident now (VmRSS).
    package static var residentBytes: Int { bytes("VmRSS", in: "/proc/self/status") ?? 0 }

    /// The value of a `key: n kB` line.
    private static func bytes(_ key: String, in path: String) -> Int? {
        value(of: key, in: path).flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 * 1024 }
    }

    /// The value after `key:` in a file of `key: value` lines.
    private static func value(of key: String, in path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 4096)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix(key), let colon = text.firstIndex(of: ":") else { continue }
            let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return String(value.prefix { $0 != "\n" })
        }
        return nil
    }
}
