import VidData
import VidSystem

/// A file of records about the clips of one folder. Each record holds while its clip's file is unchanged.
///
/// All integers are little-endian. The file consists of
///
///     "vidclass-records 1\n"
///     the contents of the records, one after the other
///     the table, for each record:
///         u64 offset of the content, u32 its length, u32 its CRC-32
///         u64 device, u64 inode, u64 size, i64 modified, i64 changed: the clip file's `FileStatus`
///         u32 length of the key, the key
///     the end: u64 offset of the table, u64 number of records, SHA-256 of the file's kind and folder, the table and these 16 bytes
///
/// Only the table is in memory. Nothing is trusted: a folder that several people share may hold anything.
final class RecordFile: Sendable {
    /// Names a record: the name of the clip's file in its folder, with the segment if the clip is a part of the file; a zero byte; and
    /// the variant, which is everything else that the content depends on. Unicode's equal spellings are different names.
    struct Key: Hashable {
        let bytes: [UInt8]

        init(name: String, variant: String) { bytes = Array(name.utf8) + [0] + Array(variant.utf8) }
        fileprivate init(bytes: [UInt8]) { self.bytes = bytes }

        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

        /// The name, as bytes.
        var name: ArraySlice<UInt8> { bytes.prefix { $0 != 0 } }
    }

    /// A record to be written.
    struct Record {
        let status: FileStatus
        let content: [UInt8]
    }

    /// The longest content or key, in bytes.
    static let longest = (1 << 16) - 1

    private static let magic = Array("vidclass-records 1\n".utf8)
    private static let entrySize = 60
    private static let endSize = 48

    let file: RegularFile
    let count: Int
    private let table: [UInt8]
    /// Where a record's entry starts in the table, by the hash of its key.
    private let starts: [Int: UInt32]

    /// Opens the file and checks its table.
    ///
    /// - Parameter place: the kind and the folder of its records.
    /// - Throws: `.missingInput` if there is none, `.badData` if it is damaged or of another version or place.
    init(_ path: String, place: [UInt8]) throws {
        file = try RegularFile(path, followingLink: false)
        let damage = VidclassError.file(path, "is no whole file of records of this folder")
        let (first, last) = (RecordFile.magic.count, file.size - RecordFile.endSize)
        guard last >= first, try file.bytes(at: 0, count: first) == RecordFile.magic else { throw damage }
        let end = try file.bytes(at: last, count: RecordFile.endSize)
        let (start, count): (UInt64, UInt64) = (LittleEndian.value(end, 0), LittleEndian.value(end, 8))
        guard start >= UInt64(first), start <= UInt64(last), UInt64(last) - start <= UInt64(UInt32.max),
            count <= (UInt64(last) - start) / UInt64(RecordFile.entrySize)
        else { throw damage }
        let table = try file.bytes(at: Int(start), count: last - Int(start))
        // guard: checksum-of-records
        guard end[16...].elementsEqual(RecordFile.digest(place, table, Array(end[..<16]))) else { throw damage }
        var starts: [Int: UInt32] = [:]
        starts.reserveCapacity(Int(count))
        let isWhole = table.withUnsafeBytes { table in
            var at = 0
            for _ in 0..<Int(count) {
                guard let entry = Entry(table, at), entry.content.upperBound <= Int(start) else { return false }
                starts[RecordFile.hash(UnsafeRawBufferPointer(rebasing: table[entry.key]))] = UInt32(at)
                at = entry.key.upperBound
            }
            return at == table.count
        }
        guard isWhole else { throw damage }
        (self.table, self.starts, self.count) = (table, starts, Int(count))
    }

    /// The content of a record about a file with this status; nil if there is none, or if it is damaged.
    func content(_ key: Key, _ status: FileStatus) -> [UInt8]? {
        guard let start = starts[key.bytes.withUnsafeBytes(RecordFile.hash)] else { return nil }
        let found = table.withUnsafeBytes { table -> (Range<Int>, UInt32)? in
            guard let entry = Entry(table, Int(start)), entry.key.count == key.bytes.count, table[entry.key].elementsEqual(key.bytes),
                entry.states(table, status)
            else { return nil }
            return (entry.content, entry.crc)
        }
        guard let (range, crc) = found, let bytes = try? file.bytes(at: range.lowerBound, count: range.count), CRC32.of(bytes) == crc else {
            return nil
        }
        return bytes
    }

    // MARK: - Writing

    /// A file that is ready to be written: its size in bytes, and what writes it.
    struct Image {
        let size: Int
        let write: (AtomicFile) throws -> Void
    }

    /// The file with `new` records, and those of `old` under other keys that `keeps` accepts.
    static func image(_ new: [Key: Record], after old: RecordFile?, place: [UInt8], keeps: (Key) -> Bool) -> Image {
        var (table, count, offset) = ([UInt8](), 0, magic.count)
        // Where the kept contents are in the old file, adjacent ones as one.
        var kept: [Range<Int>] = []
        old?.table.withUnsafeBytes { bytes in
            var at = 0
            while let entry = Entry(bytes, at) {
                at = entry.key.upperBound
                let key = Key(bytes: Array(bytes[entry.key]))
                guard new[key] == nil, keeps(key) else { continue }
                table += LittleEndian.bytes(UInt64(offset)) + bytes[entry.start + 8..<at]
                count += 1
                offset += entry.content.count
                if let last = kept.last, last.upperBound == entry.content.lowerBound {
                    kept[kept.count - 1] = last.lowerBound..<entry.content.upperBound
                } else {
                    kept.append(entry.content)
                }
            }
        }
        for (key, record) in new {
            table += LittleEndian.bytes(UInt64(offset)) + LittleEndian.bytes(UInt32(record.content.count))
            table += LittleEndian.bytes(CRC32.of(record.content))
            for word in Entry.words(record.status) { table += LittleEndian.bytes(word) }
            table += LittleEndian.bytes(UInt32(key.bytes.count)) + key.bytes
            count += 1
            offset += record.content.count
        }
        var end = LittleEndian.bytes(UInt64(offset)) + LittleEndian.bytes(UInt64(count))
        end += digest(place, table, end)
        let tail = table + end
        return Image(size: offset + tail.count) { file in
            var block = magic
            func flush(_ least: Int) throws {
                guard block.count >= least else { return }
                try file.write(block)
                block.removeAll(keepingCapacity: true)
            }
            for range in kept {
                for start in stride(from: range.lowerBound, to: range.upperBound, by: blockSize) {
                    block += try old?.file.bytes(at: start, count: min(blockSize, range.upperBound - start)) ?? []
                    try flush(blockSize)
                }
            }
            for record in new.values {
                block += record.content
                try flush(blockSize)
            }
            try flush(0)
            try file.write(tail)
        }
    }

    private static let blockSize = 1 << 20

    // MARK: - The table

    /// An entry of the table.
    private struct Entry {
        let start: Int
        let content: Range<Int>
        let crc: UInt32
        let key: Range<Int>

        /// Nil if the table ends within the entry, or if a number is out of range.
        init?(_ table: UnsafeRawBufferPointer, _ start: Int) {
            guard start <= table.count - entrySize else { return nil }
            let offset = Entry.word(table, start)
            let (length, crc) = (Entry.half(table, start + 8), Entry.half(table, start + 12))
            let keyLength = Int(Entry.half(table, start + 56))
            guard offset <= UInt64(UInt32.max) << 16, length <= UInt32(longest), keyLength <= longest,
                start + entrySize + keyLength <= table.count
            else { return nil }
            (self.start, self.crc) = (start, crc)
            content = Int(offset)..<Int(offset) + Int(length)
            key = start + entrySize..<start + entrySize + keyLength
        }

        /// Whether the record is about a file with this status.
        func states(_ table: UnsafeRawBufferPointer, _ status: FileStatus) -> Bool {
            Entry.word(table, start + 16) == status.identity.device && Entry.word(table, start + 24) == status.identity.inode
                && Entry.word(table, start + 32) == UInt64(status.size)
                && Int64(bitPattern: Entry.word(table, start + 40)) == status.modified
                && Int64(bitPattern: Entry.word(table, start + 48)) == status.changed
        }

        /// The parts of a status that `states` compares.
        static func words(_ status: FileStatus) -> [UInt64] {
            [status.identity.device, status.identity.inode, UInt64(status.size)]
                + [status.modified, status.changed].map(UInt64.init(bitPattern:))
        }

        private static func word(_ table: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
            UInt64(littleEndian: table.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        }

        private static func half(_ table: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
            UInt32(littleEndian: table.loadUnaligned(fromByteOffset: at, as: UInt32.self))
        }
    }

    private static func digest(_ place: [UInt8], _ table: [UInt8], _ end: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(place + [0])
        hash.update(table)
        hash.update(end)
        return hash.digest()
    }

    private static func hash(_ key: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: key)
        return hasher.finalize()
    }
}
