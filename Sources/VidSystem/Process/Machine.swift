internal import CLinux

/// The machine: processor and memory.
package enum Machine {
    /// The processor's name as the kernel gives it.
    package static var processorName: String {
        value(of: "model name", in: "/proc/cpuinfo") ?? "unknown processor"
    }

    /// Bytes of memory in all.
    package static var memoryBytes: Int { max(0, sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) }

    /// Bytes that can be had without swapping (Linux's MemAvailable); all memory where it is not known.
    package static var availableBytes: Int { bytes("MemAvailable", in: "/proc/meminfo") ?? memoryBytes }

    /// Bytes of address space that this process has (Linux's VmSize); 0 where it is not known.
    package static var addressSpaceBytes: Int { bytes("VmSize", in: "/proc/self/status") ?? 0 }

    /// Bytes that this process can still be given: what the machine has free, or less where its address space is limited
    /// (`ulimit -v`).
    package static var grantableBytes: Int {
        let room = Int(clamping: vc_address_space_limit()) - addressSpaceBytes
        return max(0, min(availableBytes, room))
    }

    /// The most bytes this process has had resident so far (Linux's VmHWM); 0 where it is not known.
    package static var peakResidentBytes: Int { bytes("VmHWM", in: "/proc/self/status") ?? 0 }

    /// The bytes this process has resident now (Linux's VmRSS); 0 where it is not known.
    package static var residentBytes: Int { bytes("VmRSS", in: "/proc/self/status") ?? 0 }

    /// The value of a `key: n kB` line.
    private static func bytes(_ key: String, in path: String) -> Int? {
        value(of: key, in: path).flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 * 1024 }
    }

    /// The value behind `key:` in a file of `key: value` lines.
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
