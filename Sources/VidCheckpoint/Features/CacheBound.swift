import FoundationEssentials
import VidSystem
import VidTensor

/// The most that the features' folder may hold: 10 GiB, or what `VIDCLASS_CACHE_GIB` says (0: keep nothing).
package struct CacheBound: Sendable, CustomStringConvertible {
    package static let variable = "VIDCLASS_CACHE_GIB"
    private static let largest = 1e9

    package let gibibytes: Double
    package var bytes: Int { Int(gibibytes * Double(1 << 30)) }

    /// - Parameter gibibytes: from 0 to 1e9.
    package init(gibibytes: Double) {
        precondition(gibibytes >= 0 && gibibytes <= CacheBound.largest, "a cache of \(gibibytes) GiB")
        self.gibibytes = gibibytes
    }

    /// Throws `.usage` where the variable holds anything but a number of GiB.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        let text = environment[CacheBound.variable] ?? ""
        guard !text.isEmpty else {
            self.init(gibibytes: 10)
            return
        }
        guard let number = Double(text), number >= 0, number <= CacheBound.largest else {
            throw VidclassError(
                .usage,
                "\(CacheBound.variable): expected a number of GiB such as 10 or 0.5 (0 keeps no features), found \(text.quoted)")
        }
        self.init(gibibytes: number)
    }

    /// As in `10 GiB`, `0.5 GiB`.
    package var description: String {
        (gibibytes == gibibytes.rounded() ? String(Int(gibibytes)) : String(gibibytes)) + " GiB"
    }
}
