import VidCheckpoint
import VidData
import VidSystem

/// The cache's files of records, and the facts about a clip that a record can hold. A folder that several people share may hold anything.
///
/// A file is refused, or a copy of it has the same records. Facts are refused, or read back the same.
enum FuzzedRecords {
    private static let copy = "/dev/shm/vidclass-fuzz-\(getpid()).records"
    /// The seeds' records are about a file with this status.
    private static let status = FileStatus(
        kind: .file, size: 0, identity: FileStatus.Identity(device: 0, inode: 0), modified: 0, changed: 0)

    /// - Parameter path: a file with the fuzzed bytes.
    /// - Throws: why the file is refused.
    static func check(file path: String) throws {
        let file = try RecordFile(path, place: [])
        var keys: [RecordFile.Key] = []
        let image = RecordFile.image([:], after: file, place: []) { key in
            keys.append(key)
            return true
        }
        precondition(keys.count == file.count && Set(keys).count == keys.count, "\(keys.count) keys of \(file.count)")
        try AtomicFile.write(to: copy) { try image.write($0) }
        defer { remove(copy) }
        let again = try RecordFile(copy, place: [])
        precondition(again.count == file.count && again.file.size == image.size, "\(again.count) records of \(file.count)")
        let contents = contents(file, keys)
        precondition(contents == self.contents(again, keys), "the copy has other contents")
        for content in contents { check(facts: content ?? []) }
    }

    private static func contents(_ file: RecordFile, _ keys: [RecordFile.Key]) -> [[UInt8]?] {
        var contents = [[UInt8]?](repeating: nil, count: keys.count)
        file.contents(keys.map { RecordFile.Question(key: $0, status: status) }) { contents[$0] = Array($1) }
        return contents
    }

    static func check(facts bytes: [UInt8]) {
        guard let facts = ClipFacts(encoded: bytes) else { return }
        precondition(ClipFacts(encoded: facts.encoded) == facts, "the facts do not read back the same: \(facts)")
        precondition(facts.framesPerSecond.isFinite && facts.prints.cells.count == facts.prints.count * FramePrints.size, "\(facts)")
        _ = facts.damageText
        for print in 0..<facts.prints.count { precondition(facts.prints.hash(print).nonzeroBitCount >= 32, "a hash of few bits") }
    }
}
