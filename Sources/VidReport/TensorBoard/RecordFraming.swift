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

    /// CRC-32C (Castagnoli, RFC 3720).
    package static func crc32C(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF) { remainders[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    /// What each byte adds to a CRC: its remainder by the polynomial, whose bits are reflected here.
    private static let remainders = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { remainder, _ in remainder >> 1 ^ (remainder & 1 == 1 ? 0x82F6_3B78 : 0) }
    }

    /// A CRC in TensorFlow's masked form: rotated right by 15 bits, plus a constant. CRCs of data that contains CRCs would be weak.
    package static func masked(_ crc: UInt32) -> UInt32 { (crc >> 15 | crc << 17) &+ 0xA282_EAD8 }

    private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
