import VidSystem
import VidTensor

/// The bytes that a training may take in all: what `training.memory_gib` says, or what the machine has free.
package struct MemoryBudget: Sendable {
    package let bytes: Int
    /// Whether it was given.
    package let isGiven: Bool

    package init(gibibytes: Double?) {
        isGiven = gibibytes != nil
        // A twentieth of what is free is left for what else goes on.
        bytes = gibibytes.map { Int(min($0 * 0x1p30, 0x1p60)) } ?? (Machine.grantableBytes + Machine.residentBytes) / 20 * 19
    }

    /// Of an amount that does not fit: "1.84 GiB of memory at least, training.memory_gib allows 1.50".
    func refusal(of bytes: Double) -> String {
        "\(MemoryBudget.gibibytes(bytes)) GiB of memory at least, " + (isGiven ? "training.memory_gib allows" : "the machine has")
            + " \(MemoryBudget.gibibytes(Double(self.bytes)))" + (isGiven ? "" : " free")
    }

    /// With two decimals, the last rounded up.
    private static func gibibytes(_ bytes: Double) -> String { "\((bytes / 0x1p30 * 100).rounded(.up) / 100)" }
}
