import VidData
import VidSystem

/// Zip archives without compression, as numpy and Keras write them: local headers with their contents, then the directory.
package enum ZipFile {
    private static let (localHeader, directoryEntry, directoryEnd): (UInt32, UInt32, UInt32) = (0x0403_4B50, 0x0201_4B50, 0x0605_4B50)
    /// 1980-01-01, the earliest date there is: the same contents give the same bytes.
    private static let date: UInt16 = 1 << 5 | 1

    // MARK: - Writing

    /// Writes an archive of less than 2 GiB.
    package static func write(_ entries: [(name: String, bytes: [UInt8])], to file: AtomicFile) throws {
        var directory: [UInt8] = []
        for entry in entries {
            let common = fields(entry.name, entry.bytes)
            // No comment, the first disk, a binary file without attributes, and its place.
            directory += LittleEndian.bytes(directoryEntry) + LittleEndian.bytes(UInt16(20)) + common
            directory += [UInt8](repeating: 0, count: 10) + LittleEndian.bytes(UInt32(file.size)) + Array(entry.name.utf8)
            try file.write(LittleEndian.bytes(localHeader) + common + Array(entry.name.utf8))
            try file.write(entry.bytes)
        }
        let (start, count) = (UInt32(file.size), LittleEndian.bytes(UInt16(entries.count)))
        try file.write(directory)
        try file.write(
            LittleEndian.bytes(directoryEnd) + [0, 0, 0, 0] + count + count + LittleEndian.bytes(UInt32(directory.count))
                + LittleEndian.bytes(start) + [0, 0])
    }

    /// The fields that a local header and the directory have in common: version, flags, method (none), time, date, CRC-32, sizes, lengths.
    private static func fields(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        let (checksum, size) = (LittleEndian.bytes(CRC32.of(bytes)), LittleEndian.bytes(UInt32(bytes.count)))
        let length = LittleEndian.bytes(UInt16(name.utf8.count))
        return LittleEndian.bytes(UInt16(20)) + [0, 0, 0, 0, 0, 0] + LittleEndian.bytes(date) + checksum + size + size + length + [0, 0]
    }

    // MARK: - Reading

    /// The bytes of an entry; nil if the archive has none of that name.
    ///
    /// - Throws: `.badData` if the archive is damaged, or the entry is compressed or larger than `limit`.
    package static func entry(_ name: String, of file: RegularFile, limit: Int) throws -> [UInt8]? {
        func fault(_ what: String) -> VidclassError { .file(file.path, "\(what); it is damaged, or no zip archive of Keras") }
        // The end of the directory is followed by a comment of at most 65,535 bytes.
        let tail = try file.bytes(at: max(0, file.size - 66_000), count: min(file.size, 66_000))
        let signature = LittleEndian.bytes(directoryEnd)
        guard tail.count >= 22, let end = (0...tail.count - 22).last(where: { tail[$0..<$0 + 4].elementsEqual(signature) }) else {
            throw fault("it has no directory")
        }
        let (size, start) = (
            Int(LittleEndian.value(tail, end + 12, as: UInt32.self)), Int(LittleEndian.value(tail, end + 16, as: UInt32.self))
        )
        guard start + size <= file.size, size <= 1 << 24 else { throw fault("its directory is not within it") }
        let directory = try file.bytes(at: start, count: size)
        var offset = 0
        while offset + 46 <= directory.count, LittleEndian.value(directory, offset, as: UInt32.self) == directoryEntry {
            func number16(_ place: Int) -> Int { Int(LittleEndian.value(directory, offset + place, as: UInt16.self)) }
            func number32(_ place: Int) -> Int { Int(LittleEndian.value(directory, offset + place, as: UInt32.self)) }
            let length = number16(28)
            guard offset + 46 + length <= directory.count else { break }
            if directory[offset + 46..<offset + 46 + length].elementsEqual(name.utf8) {
                guard number16(10) == 0, number32(20) == number32(24) else { throw fault("its \(name) is compressed") }
                guard number32(24) <= limit else { throw fault("its \(name) has \(number32(24)) bytes; at most \(limit) are read") }
                return try contents(of: file, at: number32(42), size: number32(24), checksum: UInt32(number32(16))) {
                    fault("its \(name) \($0)")
                }
            }
            offset += 46 + length + number16(30) + number16(32)
        }
        return nil
    }

    /// The bytes behind the local header at `offset`.
    private static func contents(
        of file: RegularFile, at offset: Int, size: Int, checksum: UInt32, _ fault: (String) -> VidclassError
    ) throws -> [UInt8] {
        guard offset + 30 <= file.size else { throw fault("is not within it") }
        let header = try file.bytes(at: offset, count: 30)
        let lengths = Int(LittleEndian.value(header, 26, as: UInt16.self)) + Int(LittleEndian.value(header, 28, as: UInt16.self))
        guard LittleEndian.value(header, 0, as: UInt32.self) == localHeader, offset + 30 + lengths + size <= file.size else {
            throw fault("is not within it")
        }
        let bytes = try file.bytes(at: offset + 30 + lengths, count: size)
        // guard: zip-checksum
        guard CRC32.of(bytes) == checksum else { throw fault("does not match its checksum") }
        return bytes
    }
}
