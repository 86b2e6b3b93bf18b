import Crypto
import VidTensor

/// A checkpoint's checksum put right (../VidCheckpoint/Formats/SealedSafetensors.swift), so that changes of its content get past it.
enum CheckpointSeal {
    private static let key = Array(#""checksum":""#.utf8)

    static func mended(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count > key.count + 64,
            let start = (0..<bytes.count - key.count - 64).first(where: { bytes[$0..<$0 + key.count].elementsEqual(key) })
        else { return bytes }
        let place = start + key.count..<start + key.count + 64
        var mended = bytes
        mended.replaceSubrange(place, with: repeatElement(UInt8(ascii: "0"), count: 64))
        let digest = SHA256.hash(data: mended).map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
        mended.replaceSubrange(place, with: Array(digest.utf8))
        return mended
    }
}
