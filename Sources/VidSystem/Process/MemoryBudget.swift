/// The bytes that a command may take in all: what a configuration allows, or what the machine and this process's limits leave.
package struct MemoryBudget: Sendable {
    /// Bytes of the program itself, its libraries, and what the threads use of their buffers in OpenBLAS. The address space of these
    /// buffers, which is much more, is taken before a budget is asked what is free.
    package static let program = 64 << 20

    package let bytes: Int
    /// Whether `training.memory_gib` sets it.
    package let isGiven: Bool
    /// Whether the process's limits leave less than the machine has free.
    private let isLimited: Bool

    /// - Parameter gibibytes: nil for what is free now.
    package init(gibibytes: Double? = nil) {
        isGiven = gibibytes != nil
        let (limited, available) = (Machine.limitedBytes, Machine.availableBytes)
        isLimited = limited < available
        // A twentieth of the free memory is left for other programs.
        bytes = gibibytes.map { Int(min($0 * 0x1p30, 0x1p60)) } ?? (max(0, min(available, limited)) + Machine.residentBytes) / 20 * 19
    }

    /// Refuses what takes more.
    ///
    /// - Parameters:
    ///   - bytes: all that the process will take; a floating-point number because extents from a file may overflow an integer.
    ///   - what: what takes them, as the start of a sentence: "a step of this training".
    ///   - remedy: what else to do, as a sentence.
    /// - Throws: `.badData` with both numbers.
    package func check(_ bytes: Double, _ what: String, remedy: String) throws(VidclassError) {
        guard bytes <= Double(self.bytes) else {
            let allowance =
                isGiven ? "training.memory_gib allows" : isLimited ? "this process's limits (ulimit -v, -d) leave" : "the machine has"
            let free = isGiven || isLimited ? "" : " free"
            throw VidclassError(
                .badData,
                "\(what) needs at least \(MemoryBudget.text(bytes)) of memory, but \(allowance) \(MemoryBudget.text(Double(self.bytes)))\(free). "
                    + remedy)
        }
    }

    /// Refuses to load a file that takes more than is free now. Little is not measured: that takes longer than to load it.
    ///
    /// - Throws: `.badData`.
    package static func checkLoading(
        _ bytes: Int, of path: String, remedy: String = "Use fewer or smaller frames."
    ) throws(VidclassError) {
        guard bytes > 4 << 20 else { return }
        try MemoryBudget().check(
            Double(Machine.residentBytes) + Double(bytes), "\(path.printable): loading it",
            remedy: "\(remedy) \(Machine.memoryAdvice).")
    }

    /// "1.25 GiB", "4.91 MiB": with two decimals, the last rounded up.
    package static func text(_ bytes: Double) -> String {
        let (unit, name) = bytes >= 0x1p30 / 100 ? (0x1p30, "GiB") : (0x1p20, "MiB")
        return "\((bytes / unit * 100).rounded(.up) / 100) \(name)"
    }
}

/// Arithmetic on sizes whose factors may come from a file: a result never overflows, but stops at `most`, far above any memory.
package enum Size {
    /// Small enough that a hundred of them can be added.
    package static let most = 1 << 56

    /// The product of two factors of at least 0.
    @inlinable package static func product(_ a: Int, _ b: Int) -> Int {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? most : min(product, most)
    }

    /// The product of factors of at least 0.
    package static func product(_ a: Int, _ b: Int, _ more: Int...) -> Int { more.reduce(product(a, b), product) }

    /// The sum of terms of at least 0.
    package static func sum(_ terms: some Sequence<Int>) -> Int { terms.reduce(0) { min($0 + min($1, most), most) } }
}
