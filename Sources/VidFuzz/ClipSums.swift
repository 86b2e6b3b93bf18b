import VidData
import VidSystem

/// The checksums of a clip file put right, so that changes of its fields get past them.
enum ClipSums {
    /// `bytes` with the CRC-32 of the payload at byte 40 and that of the header at byte 60 (../VidData/Clips/ClipHeader.swift).
    static func mended(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 64 else { return bytes }
        var mended = bytes
        mended.replaceSubrange(40..<44, with: LittleEndian.bytes(CRC32.of(bytes[64...])))
        mended.replaceSubrange(60..<64, with: LittleEndian.bytes(CRC32.of(mended[0..<60])))
        return mended
    }
}
