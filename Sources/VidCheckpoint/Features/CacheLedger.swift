/// What the features' folder holds, as one run sees it: what it has written itself, and the rest as it was when last looked.
///
/// Other processes write and remove, too, and to look is slow in a large folder. So it is looked at before the first file, when
/// the bound is passed, and after each sixteenth of the bound: two runs that write at once pass the bound by as much.
struct CacheLedger {
    private let folder: String
    /// In bytes.
    private let bound: Int
    /// Bytes by path of what this run has written or is writing.
    private var own: [String: Int] = [:]
    private var ownBytes = 0
    /// Nil before the first look.
    private var otherBytes: Int?
    private var ownBytesAtLook = 0

    init(_ folder: String, bound: Int) {
        self.folder = folder
        self.bound = bound
    }

    /// Counts a file of `bytes` that this run is to write to `path`, in the place of one that it may have written there before.
    ///
    /// Where the bound would be passed, files of others go, the one used longest ago first, until a tenth of the bound is free.
    /// False where that is not enough: nothing is counted then.
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

    /// Takes back what was admitted: the file could not be written.
    mutating func withdraw(_ path: String) { ownBytes -= own.removeValue(forKey: path) ?? 0 }

    private mutating func count(_ bytes: Int, _ path: String) {
        withdraw(path)
        own[path] = bytes
        ownBytes += bytes
    }

    /// Bytes of the files of others, after as many of them went as `ownBytes` of our own make necessary.
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
