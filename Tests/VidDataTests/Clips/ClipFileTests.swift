import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct ClipFileTests {
    static let shape = ClipShape(frames: 5, channels: 3, rows: 6, columns: 7)

    @Test func roundTripOfBytes() throws {
        let folder = try TestFolder()
        let clip = patternClip(ClipFileTests.shape, framesPerSecond: 12.5)
        try ClipFile.write(clip, to: folder("a.bin"))
        #expect(try ClipFile.read(folder("a.bin")) == clip)
        #expect(try folder.bytes("a.bin").count == 64 + clip.shape.count)
        #expect(try folder.names() == ["a.bin"])
    }

    @Test func roundTripOfFloats() throws {
        let folder = try TestFolder()
        let clip = patternFloatClip(ClipFileTests.shape)
        try ClipFile.write(clip, to: folder("a.bin"))
        #expect(try ClipFile.read(folder("a.bin")) == clip)
    }

    /// The bytes of a clip, written by hand from the format's description.
    @Test func headerIsAsDescribed() throws {
        let folder = try TestFolder()
        let clip = Clip(
            shape: ClipShape(frames: 1, channels: 1, rows: 2, columns: 3), pixels: .bytes([1, 2, 3, 4, 5, 6]), framesPerSecond: 25)
        try ClipFile.write(clip, to: folder("a.bin"))
        let file = try folder.bytes("a.bin")
        func bytes(_ range: Range<Int>) -> [UInt8] { Array(file[range]) }
        #expect(bytes(0..<8) == [0x89, 0x56, 0x43, 0x4C, 0x50, 0x0D, 0x0A, 0x1A])
        #expect(bytes(8..<12) == [1, 0, 0, 0])
        #expect(bytes(12..<28) == [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0])
        #expect(bytes(28..<32) == [0, 0, 0xC8, 0x41])
        #expect(bytes(32..<40) == [6, 0, 0, 0, 0, 0, 0, 0])
        // zlib.crc32(bytes([1, 2, 3, 4, 5, 6])) in Python is 0x81f67724.
        #expect(bytes(40..<44) == [0x24, 0x77, 0xF6, 0x81])
        #expect(bytes(44..<60) == [UInt8](repeating: 0, count: 16))
        #expect(bytes(64..<file.count) == [1, 2, 3, 4, 5, 6])
    }

    /// Frames chosen while streaming equal those of the whole clip, even if pieces end within a frame.
    @Test func selectedFramesOfALargeFile() throws {
        let folder = try TestFolder()
        // 40 frames of 120,000 bytes: about four pieces of 1 MiB.
        let clip = patternClip(ClipShape(frames: 40, channels: 3, rows: 200, columns: 200), framesPerSecond: 40)
        try ClipFile.write(clip, to: folder("a.bin"))
        for indices in [[0], [39], [3, 8, 17, 26, 34], Array(0..<40)] {
            let read = try ClipFile.open(folder("a.bin")).read(frames: indices)
            #expect(read == clip.selecting(indices, framesPerSecond: Float(indices.count)))
        }
    }

    @Test func truncationAtEveryByteOfTheHeader() throws {
        let folder = try TestFolder()
        try ClipFile.write(patternClip(ClipFileTests.shape), to: folder("a.bin"))
        let bytes = try folder.bytes("a.bin")
        for length in 0..<ClipHeader.size {
            let path = try folder.write("cut.bin", Array(bytes[..<length]))
            let error = failure { try ClipFile.open(path) }
            #expect(error.kind == .badData)
            #expect(error.message == "\(path): expected a clip file's header of 64 bytes, found only \(length) bytes")
        }
    }

    @Test func truncatedAndOverlongPayload() throws {
        let folder = try TestFolder()
        try ClipFile.write(patternClip(ClipFileTests.shape), to: folder("a.bin"))
        let bytes = try folder.bytes("a.bin")
        let cut = try folder.write("cut.bin", bytes.dropLast())
        #expect(failure { try ClipFile.open(cut) }.message.hasSuffix("cut off: expected 630 bytes after the header, found 629"))
        let long = try folder.write("long.bin", bytes + [0, 0])
        #expect(failure { try ClipFile.open(long) }.message.hasSuffix("2 bytes too many: expected 630 after the header, found 632"))
    }

    /// A change of any bit is detected: all bits of the header, 1,000 of the payload.
    @Test func everyFlippedBitIsFound() throws {
        let folder = try TestFolder()
        try ClipFile.write(patternClip(ClipFileTests.shape, framesPerSecond: 3), to: folder("a.bin"))
        let bytes = try folder.bytes("a.bin")
        var random = RandomGenerator(seed: 6)
        var flips = (0..<ClipHeader.size).flatMap { byte in (0..<8).map { (byte, $0) } }
        flips += (0..<1000).map { _ in (ClipHeader.size + random.below(bytes.count - ClipHeader.size), random.below(8)) }
        for (byte, bit) in flips {
            let path = try folder.write("flipped.bin", bytes.putting([bytes[byte] ^ 1 << UInt8(bit)], at: byte))
            #expect(failure { try ClipFile.read(path) }.kind == .badData, "byte \(byte), bit \(bit)")
        }
        #expect(flips.count == 1512)
    }

    /// A header with one wrong field and a correct checksum.
    @Test(
        arguments: [
            (0, [0x88], "not a clip file: it does not start with the magic bytes 89 56 43 4C 50 0D 0A 1A"),
            (8, [2, 0], "version at byte 8: expected 1, found 2"),
            (10, [7], "element type at byte 10: expected 0 (uint8) or 1 (float32), found 7"),
            (11, [1], "reserved bytes (11 and 44 to 59) are not zero"),
            (50, [9], "reserved bytes (11 and 44 to 59) are not zero"),
            (12, [0, 0, 0, 0], "expected 1...4294967295 frames, found 0"),
            (16, [65, 0, 0, 0], "expected 1...64 channels, found 65"),
            (20, [0, 0, 0, 0], "expected 1...16384 rows, found 0"),
            (24, [1, 64, 0, 0], "expected 1...16384 columns, found 16385"),
            (28, [0, 0, 0xC0, 0x7F], "frames per second at byte 28: expected 0 or more, found nan"),
            (28, [0, 0, 0x80, 0xBF], "frames per second at byte 28: expected 0 or more, found -1.0"),
            (10, [2], "element type at byte 10: expected 0 (uint8) or 1 (float32), found 2"),
            (20, [0xFF, 0xFF, 0xFF, 0xFF], "expected 1...16384 rows, found 4294967295"),
            (32, [0x77, 2], "expected 630 for (5, 3, 6, 7) of uint8, found 631"),
            (32, [0, 0, 0, 0, 0, 0, 0, 0x80], "expected 630 for (5, 3, 6, 7) of uint8, found 9223372036854775808"),
            (32, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "expected 630 for (5, 3, 6, 7) of uint8, found 18446744073709551615"),
            (12, [0xFF, 0xFF, 0xFF, 0xFF, 64, 0, 0, 0, 0, 64, 0, 0, 0, 64, 0, 0], "has more bytes than 2^63"),
            (12, [0xFF, 0xFF, 0xFF, 0xFF], "payload bytes at byte 32: expected 541165879170"),
        ] as [(Int, [UInt8], String)])
    func wrongField(offset: Int, value: [UInt8], message: String) throws {
        let folder = try TestFolder()
        try ClipFile.write(patternClip(ClipFileTests.shape), to: folder("a.bin"))
        var bytes = try folder.bytes("a.bin")
        bytes.replaceSubrange(offset..<offset + value.count, with: value)
        let crc = CRC32.of(bytes[0..<60])
        bytes.replaceSubrange(60..<64, with: (0..<4).map { UInt8(truncatingIfNeeded: crc >> (8 * $0)) })
        let path = try folder.write("wrong.bin", bytes)
        let error = failure { try ClipFile.open(path) }
        #expect(error.kind == .badData)
        #expect(error.message.hasPrefix(path + ": ") && error.message.contains(message), "\(error.message)")
    }

    /// Consistent shape and payload past the end of the file, up to 2^63 bytes: nothing of that size is allocated before the
    /// file's size is checked.
    @Test(arguments: [
        ClipShape(frames: 6, channels: 3, rows: 6, columns: 7), ClipShape(frames: 4_294_967_295, channels: 3, rows: 6, columns: 7),
        ClipShape(frames: 134_217_727, channels: 64, rows: 16_384, columns: 16_384),
    ])
    func hugeShapesInATinyFile(shape: ClipShape) throws {
        let folder = try TestFolder()
        for element in [ClipElement.uint8, .float32] {
            let header = ClipHeader(element: element, shape: shape, framesPerSecond: 0, payloadCRC: 0)
            let path = try folder.write("huge.bin", header.bytes + [UInt8](repeating: 0, count: 630))
            let error = failure { try ClipFile.read(path) }
            #expect(error.kind == .badData)
            #expect(error.message.hasSuffix("cut off: expected \(header.payloadBytes) bytes after the header, found 630"), "\(error)")
        }
    }

    @Test func wrongChecksums() throws {
        let folder = try TestFolder()
        try ClipFile.write(patternClip(ClipFileTests.shape), to: folder("a.bin"))
        let bytes = try folder.bytes("a.bin")
        var header = bytes
        header[61] ^= 1
        #expect(
            failure { try ClipFile.open(try folder.write("h.bin", header)) }.message.contains("the header's checksum (CRC-32 at byte 60)"))
        var payload = bytes
        payload[200] ^= 1
        let path = try folder.write("p.bin", payload)
        #expect(failure { try ClipFile.read(path) }.message.contains("the payload's checksum (CRC-32 at byte 40) is wrong"))
        // Damage is also found in a frame that is not requested.
        #expect(failure { try ClipFile.open(path).read(frames: [4]) }.message.contains("the payload's checksum"))
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func valuesThatAreNotFinite(value: Float) throws {
        let folder = try TestFolder()
        var clip = patternFloatClip(ClipFileTests.shape)
        guard case .floats(var values) = clip.pixels else { return }
        values[300] = value
        clip = Clip(shape: clip.shape, pixels: .floats(values))
        let refused = failure { try ClipFile.write(clip, to: folder("a.bin")) }
        #expect(refused.message.contains("expected finite values, found"))
        #expect(try folder.names().isEmpty)

        // Another program's file: header and checksums are right, the value is not.
        var header = ClipHeader(element: .float32, shape: clip.shape, framesPerSecond: 0, payloadCRC: 0)
        let payload = clip.withUnsafeBytes { Array($0) }
        header.payloadCRC = CRC32.of(payload)
        let path = try folder.write("b.bin", header.bytes + payload)
        #expect(failure { try ClipFile.open(path).read(frames: [0]) }.message.hasSuffix("found \(value) in frame 2 (value 300)"))
    }

    @Test func filesThatAreNone() throws {
        let folder = try TestFolder()
        #expect(failure { try ClipFile.open(folder("none.bin")) }.kind == .missingInput)
        try folder.makeFolder("folder.bin")
        #expect(failure { try ClipFile.open(folder("folder.bin")) }.message.hasSuffix("expected a file, found a folder"))
        #expect(failure { try ClipFile.open("a\0b.bin") }.message.contains("a path cannot hold a NUL character"))
        #expect(failure { try ClipFile.open("/dev/zero") }.message.contains("expected a file, found a pipe, socket or device"))
    }
}
