import VidData
import VidSystem

/// A file of records about the clips of one folder. Each record holds while its clip's file is unchanged.
///
/// All integers are little-endian. The file consists of
///
///     "vidclass-records 2\n"
///     the contents of the records, one after the other
///     for each record, in the order of the keys' bytes:
///         u64 offset of the content, u32 its length, u32 its CRC-32
///         u64 device, u64 inode, u64 size, i64 modified, i64 changed: the clip file's `FileStatus`
///         u32 offset of the key among the keys, u32 its length
///     the keys, one after the other
///     the end: u64 offset of the table, which is all before this from the first record's entry on, u64 number of records, SHA-256 of
///     the file's kind and folder, the table and these 16 bytes
///
/// Only the table is in memory, and it is searched as it lies. Nothing is trusted: a folder that several people share may hold anything.
/// The file is not mapped into memory, where another process could cut it short.
package final class RecordFile: Sendable {
    /// Names a record: the name of the clip's file in its folder, with the segment if the clip is a part of the file; a zero byte; and
    /// the variant, which is everything else that the content depends on. Unicode's equal spellings are different names.
    package struct Key: Hashable {
        private(set) var bytes: [UInt8]

        init(name: some Sequence<UInt8>, variant: String) {
            bytes = Array(name)
            bytes.append(0)
            bytes.append(contentsOf: variant.utf8)
        }

        fileprivate init(_ bytes: UnsafeRawBufferPointer) { self.bytes = Array(bytes) }

        package func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

        /// The name, as bytes.
        var name: ArraySlice<UInt8> { bytes.prefix { $0 != 0 } }
    }

    /// A record to be written.
    package struct Record {
        let status: FileStatus
        let content: [UInt8]
    }

    /// A record to be looked up.
    package struct Question {
        let key: Key
        let status: FileStatus

        package init(key: Key, status: FileStatus) { (self.key, self.status) = (key, status) }
    }

    private static let magic = Array("vidclass-records 2\n".utf8)
    private static let endSize = 48

    package let file: RegularFile
    package let count: Int
    private let table: [UInt8]

    /// Opens the file and checks its table.
    ///
    /// - Parameter place: the kind and the folder of its records.
    /// - Throws: `.missingInput` if there is none, `.badData` if it is damaged or of another version or place.
    package init(_ path: String, place: [UInt8]) throws {
        file = try RegularFile(path, followingLink: false)
        let damage = VidclassError.file(path, "is no whole file of records of this folder")
        let (first, last) = (RecordFile.magic.count, file.size - RecordFile.endSize)
        guard last >= first, try file.bytes(at: 0, count: first) == RecordFile.magic else { throw damage }
        let end = try file.bytes(at: last, count: RecordFile.endSize)
        let (start, count): (UInt64, UInt64) = (LittleEndian.value(end, 0), LittleEndian.value(end, 8))
        guard start >= UInt64(first), start <= UInt64(last), UInt64(last) - start <= UInt64(UInt32.max),
            count <= (UInt64(last) - start) / UInt64(RecordEntry.size)
        else { throw damage }
        table = try file.bytes(at: Int(start), count: last - Int(start))
        self.count = Int(count)
        // guard: checksum-of-records
        guard end[16...].elementsEqual(RecordFile.digest(place, table, Array(end[..<16]))) else { throw damage }
        // guard: order-of-records
        guard RecordTable.with(table, count: self.count, { $0.isWhole(contents: first..<Int(start)) }) else { throw damage }
    }

    // MARK: - Looking up

    /// Looks up records. Neighbours in the file are found without a search and read together, so that it pays to ask in the order of the
    /// clips' names.
    ///
    /// - Parameter found: called with the place of each question whose record is about a file with this status and undamaged, and the
    ///   content.
    package func contents(_ questions: [Question], found: (_ place: Int, _ content: UnsafeRawBufferPointer) -> Void) {
        var wanted: [(place: Int, content: Range<Int>, crc: UInt32)] = []
        wanted.reserveCapacity(questions.count)
        RecordTable.with(table, count: count) { table in
            var next = 0
            for (place, question) in questions.enumerated() {
                let number = question.key.bytes.withUnsafeBytes { table.find($0, near: next) }
                guard let number else { continue }
                next = number + 1
                let entry = table.entry(number)
                if entry.states(question.status) { wanted.append((place, entry.content, entry.crc)) }
            }
        }
        wanted.sort { $0.content.lowerBound < $1.content.lowerBound }
        var start = 0
        while start < wanted.count {
            var (end, upper) = (start + 1, wanted[start].content.upperBound)
            while end < wanted.count, wanted[end].content.lowerBound <= upper + RecordFile.gap,
                wanted[end].content.upperBound - wanted[start].content.lowerBound <= RecordFile.blockSize
            {
                upper = max(upper, wanted[end].content.upperBound)
                end += 1
            }
            let lower = wanted[start].content.lowerBound
            // The file may have been cut short since it was opened.
            let block = try? file.bytes(at: lower, count: upper - lower)
            block?.withUnsafeBytes { block in
                for (place, content, crc) in wanted[start..<end] {
                    let bytes = UnsafeRawBufferPointer(rebasing: block[content.lowerBound - lower..<content.upperBound - lower])
                    // guard: checksum-of-a-record
                    guard CRC32.of(bytes) == crc else { continue }
                    found(place, bytes)
                }
            }
            start = end
        }
    }

    /// Bytes between two contents that are rather read than left out.
    private static let gap = 4096
    /// Bytes that are read or written at a time, but for a single content.
    private static let blockSize = 1 << 20

    // MARK: - Writing

    /// A file that is ready to be written: its size in bytes, and what writes it.
    package struct Image {
        package let size: Int
        package let write: (AtomicFile) throws -> Void
    }

    /// The file with `new` records, and those of `old` under other keys that `keeps` accepts.
    package static func image(_ new: [Key: Record], after old: RecordFile?, place: [UInt8], keeps: (Key) -> Bool) -> Image {
        /// Where a content comes from: old ones that lie beside each other are one piece.
        enum Piece {
            case old(Range<Int>)
            case new([UInt8])
        }
        var (entries, keys, pieces, offset): ([UInt8], [UInt8], [Piece], Int) = ([], [], [], magic.count)
        func add(_ key: UnsafeRawBufferPointer, length: Int, crc: UInt32, status: [UInt64], _ piece: Piece) {
            entries += RecordEntry.bytes(offset: offset, length: length, crc: crc, status: status, key: keys.count..<keys.count + key.count)
            keys += key
            offset += length
            if case .old(let range) = piece, case .old(let last)? = pieces.last, last.upperBound == range.lowerBound {
                pieces[pieces.count - 1] = .old(last.lowerBound..<range.upperBound)
            } else {
                pieces.append(piece)
            }
        }
        var fresh = new.sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }[...]
        /// Adds the new records before a key of the old file, or all that are left.
        func addFresh(before key: UnsafeRawBufferPointer?) {
            while let (own, record) = fresh.first, key.map({ own.bytes.lexicographicallyPrecedes($0) }) ?? true {
                own.bytes.withUnsafeBytes {
                    add(
                        $0, length: record.content.count, crc: CRC32.of(record.content), status: RecordEntry.words(record.status),
                        .new(record.content))
                }
                fresh.removeFirst()
            }
        }
        if let old {
            RecordTable.with(old.table, count: old.count) { table in
                for number in 0..<old.count {
                    let (entry, bytes) = (table.entry(number), table.key(number))
                    let key = Key(bytes)
                    guard new[key] == nil, keeps(key) else { continue }
                    addFresh(before: bytes)
                    add(bytes, length: entry.content.count, crc: entry.crc, status: entry.status, .old(entry.content))
                }
            }
        }
        addFresh(before: nil)
        let table = entries + keys
        let end = LittleEndian.bytes(UInt64(offset)) + LittleEndian.bytes(UInt64(entries.count / RecordEntry.size))
        let tail = table + end + digest(place, table, end)
        return Image(size: offset + tail.count) { file in
            var block = magic
            func flush(_ least: Int) throws {
                guard block.count >= least else { return }
                try file.write(block)
                block.removeAll(keepingCapacity: true)
            }
            for piece in pieces {
                switch piece {
                case .old(let range):
                    for start in stride(from: range.lowerBound, to: range.upperBound, by: blockSize) {
                        block += try old?.file.bytes(at: start, count: min(blockSize, range.upperBound - start)) ?? []
                        try flush(blockSize)
                    }
                case .new(let content):
                    block += content
                    try flush(blockSize)
                }
            }
            try flush(0)
            try file.write(tail)
        }
    }

    private static func digest(_ place: [UInt8], _ table: [UInt8], _ end: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(place + [0])
        hash.update(table)
        hash.update(end)
        return hash.digest()
    }
}
