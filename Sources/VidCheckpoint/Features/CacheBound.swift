import FoundationEssentials
import VidSystem

/// The size limit of the feature folder: 10 GiB, or `VIDCLASS_CACHE_GIB` (0: keep nothing).
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

    /// Throws `.usage` if the variable is not a number of GiB.
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

    /// For example `10 GiB` or `0.5 GiB`.
    package var description: String {
        (gibibytes == gibibytes.rounded() ? String(Int(gibibytes)) : String(gibibytes)) + " GiB"
    }
}

/// One run's account of the feature folder: its own files, and the size of the others at the last listing.
///
/// Other processes also write and remove files, and listing a large folder is slow. So the folder is listed before the first
/// file, when the bound is exceeded, and after each sixteenth of the bound: two concurrent runs may exceed it by that much.
struct CacheLedger {
    private let folder: String
    /// The limit in bytes.
    private let bound: Int
    /// Bytes by path of the files that this run has written or is writing.
    private var own: [String: Int] = [:]
    private var ownBytes = 0
    /// Nil before the first listing.
    private var otherBytes: Int?
    private var ownBytesAtLook = 0

    init(_ folder: String, bound: Int) {
        self.folder = folder
        self.bound = bound
    }

    /// Counts a file of `bytes` that this run will write to `path`, replacing one that it may have written there before.
    ///
    /// If the bound would be exceeded, the least recently used files of others are removed until a tenth of the bound is free.
    /// Returns false, and counts nothing, if that is not enough.
    mutating func admit(_ bytes: Int, to path: String) -> Bool {
        let ownBytesThen = ownBytes - (own[path] ?? 0) + bytes
        guard ownBytesThen <= bound else { return false }
        if let otherBytes, ownBytesThen + otherBytes <= bound, ownBytesThen - ownBytesAtLook <= bound / 16 {
            count(bytes, path)
            return true
        }
        let others = look(makingRoomFor: ownBytesThen)
        otherBytes = others
        ownBytesAtLook = ownBytesThen
        guard ownBytesThen + others <= bound else { return false }
        count(bytes, path)
        return true
    }

    /// Reverts `admit`, for a file that could not be written.
    mutating func withdraw(_ path: String) { ownBytes -= own.removeValue(forKey: path) ?? 0 }

    private mutating func count(_ bytes: Int, _ path: String) {
        withdraw(path)
        own[path] = bytes
        ownBytes += bytes
    }

    /// Lists the folder, removes other runs' files as far as `ownBytes` requires, and returns the bytes of those that remain.
    private func look(makingRoomFor ownBytes: Int) -> Int {
        let others = FeatureListing(folder).entries.filter { own[$0.path] == nil }
        var bytes = others.reduce(0) { $0 + $1.bytes }
        guard ownBytes + bytes > bound else { return bytes }
        let oldestFirst = others.sorted { ($0.used, $0.path) < ($1.used, $1.path) }
        for entry in oldestFirst {
            guard ownBytes + bytes > bound - bound / 10 else { break }
            if entry.remove() { bytes -= entry.bytes }
        }
        return bytes
    }
}
