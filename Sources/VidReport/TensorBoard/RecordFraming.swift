import CISAL

/// TensorFlow's record format of event files: for each record its length (u64), the masked CRC of these 8 bytes (u32), the payload and
/// its masked CRC (u32), all little-endian (tensorflow/core/lib/io/record_writer.h).
package enum RecordFraming {
    /// Appends the record of `payload`.
    package static func append(_ payload: [UInt8], to bytes: inout [UInt8]) {
        let length = littleEndian(UInt64(payload.count))
        bytes += length
        bytes += littleEndian(masked(crc32C(length)))
        bytes += payload
        bytes += littleEndian(masked(crc32C(payload)))
    }

    /// The payloads in `bytes`, up to the first record that is truncated or has a wrong checksum.
    package static func records(in bytes: [UInt8]) -> [[UInt8]] {
        var records: [[UInt8]] = []
        var at = 0
        while bytes.count - at >= 12 {
            let length = Array(bytes[at..<at + 8])
            let count = length.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard Array(bytes[at + 8..<at + 12]) == littleEndian(masked(crc32C(length))), count <= UInt64(bytes.count - at - 12) else {
                break
            }
            let start = at + 12
            let end = start + Int(count)
            guard bytes.count - end >= 4, Array(bytes[end..<end + 4]) == littleEndian(masked(crc32C(Array(bytes[start..<end])))) else {
                break
            }
            records.append(Array(bytes[start..<end]))
            at = end + 4
        }
        return records
    }

    /// CRC-32C (Castagnoli, RFC 3720), computed by ISA-L.
    package static func crc32C(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        var at = 0
        while at < bytes.count {
            let count = min(bytes.count - at, 1 << 30)
            crc = bytes.withUnsafeBytes { raw in
                // The function only reads, although its parameter is not const.
                let start = UnsafeMutableRawPointer(mutating: raw.baseAddress)?.advanced(by: at)
                return crc32_iscsi(start?.assumingMemoryBound(to: UInt8.self), Int32(count), crc)
            }
            at += count
        }
        return ~crc
    }

    /// A CRC in TensorFlow's masked form: rotated right by 15 bits, plus a constant. CRCs of data that contains CRCs would be weak.
    package static func masked(_ crc: UInt32) -> UInt32 { (crc >> 15 | crc << 17) &+ 0xA282_EAD8 }

    private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
