import VidSystem

/// The table of a `RecordFile`, as it lies in memory.
struct RecordTable {
    /// The longest content or key, in bytes.
    static let longest = (1 << 16) - 1

    private let entries: UnsafeRawBufferPointer
    private let keys: UnsafeRawBufferPointer
    let count: Int

    /// Calls `body` with the table in `bytes`, which have room for `count` entries.
    static func with<Result>(_ bytes: [UInt8], count: Int, _ body: (RecordTable) -> Result) -> Result {
        bytes.withUnsafeBytes { body(RecordTable($0, count: count)) }
    }

    private init(_ bytes: UnsafeRawBufferPointer, count: Int) {
        let end = count * RecordEntry.size
        precondition(end <= bytes.count, "\(count) entries in \(bytes.count) bytes")
        entries = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        keys = UnsafeRawBufferPointer(rebasing: bytes[end...])
        self.count = count
    }

    func entry(_ number: Int) -> RecordEntry { RecordEntry(entries, number * RecordEntry.size) }

    func key(_ number: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: keys[entry(number).key]) }

    /// Whether all contents and keys are in the file, none is too long, and the keys ascend. Only then may anything else be asked.
    ///
    /// - Parameter contents: where contents may be in the file.
    func isWhole(contents: Range<Int>) -> Bool {
        for number in 0..<count {
            guard entry(number).isWithin(contents, keys: keys.count), number == 0 || RecordTable.order(key(number - 1), key(number)) < 0
            else {
                return false
            }
        }
        return true
    }

    /// The entry of a key; nil if there is none.
    ///
    /// - Parameter near: is tried first.
    func find(_ key: UnsafeRawBufferPointer, near: Int) -> Int? {
        if near < count, RecordTable.order(self.key(near), key) == 0 { return near }
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            let order = RecordTable.order(self.key(middle), key)
            if order == 0 { return middle }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Negative if `a` comes before `b`, positive if after it, 0 if they are equal.
    private static func order(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        let common = min(a.count, b.count)
        if common > 0, let first = a.baseAddress, let second = b.baseAddress {
            let order = memcmp(first, second, common)
            if order != 0 { return Int(order) }
        }
        return a.count - b.count
    }
}

/// An entry of the table: where a record's content and key are, and for which file it holds.
struct RecordEntry {
    /// In bytes.
    static let size = 64

    private let entries: UnsafeRawBufferPointer
    private let start: Int

    init(_ entries: UnsafeRawBufferPointer, _ start: Int) { (self.entries, self.start) = (entries, start) }

    /// An entry as bytes, but for the key's.
    ///
    /// - Parameter key: where it is among the keys. Beyond 4 GiB the file cannot be read again.
    static func bytes(offset: Int, length: Int, crc: UInt32, status: [UInt64], key: Range<Int>) -> [UInt8] {
        LittleEndian.bytes(UInt64(offset)) + LittleEndian.bytes(UInt32(length)) + LittleEndian.bytes(crc)
            + status.flatMap(LittleEndian.bytes) + LittleEndian.bytes(UInt32(truncatingIfNeeded: key.lowerBound))
            + LittleEndian.bytes(UInt32(key.count))
    }

    /// The content's place in the file.
    var content: Range<Int> { range(Int(word(0)), Int(half(8))) }
    var crc: UInt32 { half(12) }
    /// The key's place among the keys.
    var key: Range<Int> { range(Int(half(56)), Int(half(60))) }
    /// The parts of the file's status that `states` compares.
    var status: [UInt64] { (0..<5).map { word(16 + 8 * $0) } }

    private func range(_ start: Int, _ count: Int) -> Range<Int> { start..<start + count }

    /// Whether the content lies in this part of the file, the key lies in so many bytes of keys, and neither is too long.
    fileprivate func isWithin(_ contents: Range<Int>, keys: Int) -> Bool {
        guard word(0) >= UInt64(contents.lowerBound), word(0) <= UInt64(contents.upperBound), half(8) <= UInt32(RecordTable.longest),
            half(60) <= UInt32(RecordTable.longest)
        else { return false }
        return content.upperBound <= contents.upperBound && key.upperBound <= keys
    }

    /// Whether the record is about a file with this status.
    func states(_ status: FileStatus) -> Bool {
        word(16) == status.identity.device && word(24) == status.identity.inode && word(32) == UInt64(status.size)
            && Int64(bitPattern: word(40)) == status.modified && Int64(bitPattern: word(48)) == status.changed
    }

    /// The parts of a status that `states` compares.
    static func words(_ status: FileStatus) -> [UInt64] {
        [status.identity.device, status.identity.inode, UInt64(status.size)]
            + [status.modified, status.changed].map(UInt64.init(bitPattern:))
    }

    private func word(_ at: Int) -> UInt64 { UInt64(littleEndian: entries.loadUnaligned(fromByteOffset: start + at, as: UInt64.self)) }

    private func half(_ at: Int) -> UInt32 { UInt32(littleEndian: entries.loadUnaligned(fromByteOffset: start + at, as: UInt32.self)) }
}
