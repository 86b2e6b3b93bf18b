import VidData
import VidSystem

/// Corrects the checksums of a fuzzed file, so that changes of its content get past them.
enum Checksums {
    /// The clip file with the right CRC-32 of its payload at byte 40 and of its header at byte 60 (`ClipHeader.swift`).
    static func correctedClip(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 64 else { return bytes }
        var corrected = bytes
        corrected.replaceSubrange(40..<44, with: LittleEndian.bytes(CRC32.of(bytes[64...])))
        corrected.replaceSubrange(60..<64, with: LittleEndian.bytes(CRC32.of(corrected[0..<60])))
        return corrected
    }

    /// The file of records with the right CRC-32 of each content, and the right SHA-256 at its end (`RecordFile.swift`). Its place is empty.
    static func correctedRecords(_ bytes: [UInt8]) -> [UInt8] {
        let (last, size) = (bytes.count - 48, 64)
        guard last > 0 else { return bytes }
        var corrected = bytes
        let (table, count): (UInt64, UInt64) = (LittleEndian.value(bytes, last), LittleEndian.value(bytes, last + 8))
        guard table <= UInt64(last), count <= (UInt64(last) - table) / UInt64(size) else { return bytes }
        for entry in stride(from: Int(table), to: Int(table) + Int(count) * size, by: size) {
            let (start, length): (UInt64, UInt32) = (LittleEndian.value(bytes, entry), LittleEndian.value(bytes, entry + 8))
            guard start <= table, UInt64(length) <= table - start else { continue }
            let content = bytes[Int(start)..<Int(start) + Int(length)]
            corrected.replaceSubrange(entry + 12..<entry + 16, with: LittleEndian.bytes(CRC32.of(content)))
        }
        var hash = SHA256()
        hash.update([0])
        hash.update(Array(corrected[Int(table)..<last + 16]))
        corrected.replaceSubrange((last + 16)..., with: hash.digest())
        return corrected
    }

    /// The safetensors file with the right checksum in its metadata, if it has one (`SealedSafetensors.swift`).
    static func correctedSeal(_ bytes: [UInt8]) -> [UInt8] {
        let key = Array(#""checksum":""#.utf8)
        guard bytes.count > key.count + 64,
            let start = (0..<bytes.count - key.count - 64).first(where: { bytes[$0..<$0 + key.count].elementsEqual(key) })
        else { return bytes }
        let place = start + key.count..<start + key.count + 64
        var corrected = bytes
        corrected.replaceSubrange(place, with: repeatElement(UInt8(ascii: "0"), count: 64))
        corrected.replaceSubrange(place, with: Array(SHA256.digest(corrected).hexadecimal.utf8))
        return corrected
    }
}
