import VidSystem
import VidTensor

/// The 64 bytes that open a clip file.
///
/// Little-endian: magic (8 bytes), version (u16), element type (u8), 0, frames, channels, rows, columns (u32 each),
/// frames per second (f32), payload bytes (u64), CRC-32 of the payload (u32), 16 zeros, CRC-32 of the first 60 bytes (u32).
package struct ClipHeader: Sendable, Equatable {
    package static let size = 64
    package static let version: UInt16 = 1
    /// A byte over 127, the name, and both kinds of line end: a transfer in text mode would damage it.
    static let magic: [UInt8] = [0x89, 0x56, 0x43, 0x4C, 0x50, 0x0D, 0x0A, 0x1A]

    package var element: ClipElement
    package var shape: ClipShape
    /// 0 = unknown.
    package var framesPerSecond: Float
    package var payloadCRC: UInt32

    package init(element: ClipElement, shape: ClipShape, framesPerSecond: Float, payloadCRC: UInt32) {
        self.element = element
        self.shape = shape
        self.framesPerSecond = framesPerSecond
        self.payloadCRC = payloadCRC
    }

    package var payloadBytes: Int { shape.count * element.size }

    /// The header as it is stored in a file.
    package var bytes: [UInt8] {
        var bytes = ClipHeader.magic
        bytes += LittleEndian.bytes(ClipHeader.version)
        bytes += [element.rawValue, 0]
        for extent in [shape.frames, shape.channels, shape.rows, shape.columns] { bytes += LittleEndian.bytes(UInt32(extent)) }
        bytes += LittleEndian.bytes(framesPerSecond.bitPattern)
        bytes += LittleEndian.bytes(UInt64(payloadBytes))
        bytes += LittleEndian.bytes(payloadCRC)
        bytes += [UInt8](repeating: 0, count: 16)
        bytes += LittleEndian.bytes(CRC32.of(bytes))
        return bytes
    }

    /// Parses and checks every field. `bytes` are the first bytes of a file of `fileSize` bytes; errors name `path` and the field.
    init(_ bytes: [UInt8], path: String, fileSize: Int) throws {
        guard bytes.count >= ClipHeader.size else {
            throw VidclassError.file(path, "expected a clip file's header of 64 bytes, found only \(bytes.count) bytes")
        }
        guard Array(bytes[0..<8]) == ClipHeader.magic else {
            throw VidclassError.file(path, "not a clip file: it does not start with the magic bytes 89 56 43 4C 50 0D 0A 1A")
        }
        let version: UInt16 = LittleEndian.value(bytes, 8)
        guard version == ClipHeader.version else {
            throw VidclassError.file(path, "version at byte 8: expected 1, found \(version)")
        }
        let crc: UInt32 = LittleEndian.value(bytes, 60)
        // guard: clip-header-checksum
        guard crc == CRC32.of(bytes[0..<60]) else {
            throw VidclassError.file(path, "the header's checksum (CRC-32 at byte 60) is wrong: the file is damaged")
        }
        guard let element = ClipElement(rawValue: bytes[10]) else {
            throw VidclassError.file(path, "element type at byte 10: expected 0 (uint8) or 1 (float32), found \(bytes[10])")
        }
        guard bytes[11] == 0, bytes[44..<60].allSatisfy({ $0 == 0 }) else {
            throw VidclassError.file(path, "reserved bytes (11 and 44 to 59) are not zero")
        }
        func extent(_ offset: Int) -> Int { Int(LittleEndian.value(bytes, offset, as: UInt32.self)) }
        let shape = ClipShape(frames: extent(12), channels: extent(16), rows: extent(20), columns: extent(24))
        if let complaint = shape.complaint { throw VidclassError.file(path, complaint) }
        let framesPerSecond = Float(bitPattern: LittleEndian.value(bytes, 28))
        guard framesPerSecond.isFinite, framesPerSecond >= 0 else {
            throw VidclassError.file(path, "frames per second at byte 28: expected 0 or more, found \(framesPerSecond)")
        }
        self.init(
            element: element, shape: shape, framesPerSecond: framesPerSecond, payloadCRC: LittleEndian.value(bytes, 40))
        let payload: UInt64 = LittleEndian.value(bytes, 32)
        guard payload == UInt64(payloadBytes) else {
            throw VidclassError.file(
                path, "payload bytes at byte 32: expected \(payloadBytes) for \(shape) of \(element.name), found \(payload)")
        }
        try ArrayFile.check(payload: payloadBytes, found: fileSize - ClipHeader.size, path: path)
    }
}
